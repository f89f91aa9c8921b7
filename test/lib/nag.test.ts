import { App, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import { describe, expect, it } from 'vitest';
import { stageNames } from '../../lib/config.ts';
import { stackOf } from './synthesize.ts';

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

/** What no stage has yet. */
const notBuiltYet = [
  'AwsSolutions-APIG1', // access logs
  'AwsSolutions-APIG3', // WAF
  'Serverless-APIGWAccessLogging',
  'Serverless-APIGWDefaultThrottling',
  'Serverless-APIGWXrayEnabled',
  'Serverless-LambdaTracing',
];

describe("the rules of cdk-nag's AwsSolutions and Serverless packs", () => {
  it.each(stageNames)('are kept by stage %s, or the reason stands beside the construct', (stage) => {
    const unexpected = findings(stackOf(stage)).filter(
      (finding) => !notBuiltYet.some((rule) => finding.startsWith(`${rule}:`)),
    );

    expect(unexpected).toEqual([]);
  });

  it('are all broken by at least one construct where they are listed as not built yet', () => {
    const found = findings(stackOf('prod'));

    expect(notBuiltYet.filter((rule) => !found.some((finding) => finding.startsWith(`${rule}:`)))).toEqual(
      [],
    );
  });

  it('find a permission on every resource that has no reason beside it', () => {
    const stack = new Stack(new App(), 'Careless');
    const role = new Role(stack, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    role.addToPolicy(new PolicyStatement({ actions: ['dynamodb:GetItem'], resources: ['*'] }));

    expect(findings(stack)).toEqual(['AwsSolutions-IAM5[Resource::*]: Careless/Role/DefaultPolicy/Resource']);
  });
});
