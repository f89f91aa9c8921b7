/** What is deployed of a stage today. */
import {
  CloudFormationClient,
  DescribeStacksCommand,
  GetTemplateCommand,
  type Stack,
} from '@aws-sdk/client-cloudformation';
import type { CfnTemplate } from '../templates/service-spec.ts';
import { comparable } from '../templates/stage-template.ts';
import { lookedUp } from './looked-up.ts';

export interface Deployed {
  /** CloudFormation's word for how the last deployment ended. */
  readonly status: string;
  readonly template: CfnTemplate;
  readonly outputs: Readonly<Record<string, string>>;
}

/**
 * Undefined when there is no such stack in the account and region.
 *
 * @throws CommandError
 */
export async function readDeployed(StackName: string): Promise<Deployed | undefined> {
  const client = new CloudFormationClient();
  try {
    const stack = await lookedUp(`the stack ${StackName}`, describe(client, StackName));
    if (stack === undefined) return undefined;
    const { TemplateBody = '' } = await lookedUp(
      `the template of ${StackName}`,
      client.send(new GetTemplateCommand({ StackName, TemplateStage: 'Original' })),
    );
    return {
      status: stack.StackStatus ?? '',
      template: comparable(JSON.parse(TemplateBody)),
      outputs: Object.fromEntries(
        (stack.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
      ),
    };
  } finally {
    client.destroy();
  }
}

/** CloudFormation has no error of its own for a stack that is not there. */
async function describe(client: CloudFormationClient, StackName: string): Promise<Stack | undefined> {
  try {
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName }));
    return Stacks[0];
  } catch (error) {
    if (error instanceof Error && error.name === 'ValidationError' && /does not exist/.test(error.message))
      return undefined;
    throw error;
  }
}
