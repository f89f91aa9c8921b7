import { App, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import { describe, expect, it } from 'vitest';
import { stageNames } from '../fixtures/stages.ts';
import { everything, nothing, stackOf } from './synthesize.ts';

/** Every finding that nobody has given a reason for, as `<rule>: <construct>`. */
function findings(scope: IConstruct): string[] {
  return [new AwsSolutionsChecks(), new ServerlessChecks()].flatMap((pack) =>
    pack
      .validateScope(scope)
      .violations.flatMap(({ ruleName, violatingResources }) =>
        violatingResources.map(({ constructPath }) => `${ruleName}: ${constructPath}`),
      ),
  );
}

describe("the rules of cdk-nag's AwsSolutions and Serverless packs", () => {
  it.each([
    ...stageNames.map((stage) => [stage, {}] as const),
    ['prod', everything],
    ['dev', nothing],
  ] as const)(
    'are kept by stage %s with %j, or the reason stands beside the construct',
    (stage, settings) => {
      expect(findings(stackOf(stage, { settings }))).toEqual([]);
    },
  );

  it('find a permission on every resource that has no reason beside it', () => {
    const stack = new Stack(new App(), 'Careless');
    const role = new Role(stack, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    role.addToPolicy(new PolicyStatement({ actions: ['dynamodb:GetItem'], resources: ['*'] }));

    expect(findings(stack)).toEqual(['AwsSolutions-IAM5[Resource::*]: Careless/Role/DefaultPolicy/Resource']);
  });
});
