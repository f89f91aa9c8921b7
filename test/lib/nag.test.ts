import { App, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { describe, expect, it } from 'vitest';
import { stageNames } from '../fixtures/stages.ts';
import { nagFindings } from './nag-findings.ts';
import { everything, nothing, stackOf } from './synthesize.ts';

describe("the rules of cdk-nag's AwsSolutions and Serverless packs", () => {
  it.each([
    ...stageNames.map((stage) => [stage, {}] as const),
    ['prod', everything],
    ['dev', nothing],
  ] as const)(
    'are kept by stage %s with %j, or the reason stands beside the construct',
    (stage, settings) => {
      expect(nagFindings(stackOf(stage, { settings }))).toEqual([]);
    },
  );

  it('find a permission on every resource that has no reason beside it', () => {
    const stack = new Stack(new App(), 'Careless');
    const role = new Role(stack, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    role.addToPolicy(new PolicyStatement({ actions: ['dynamodb:GetItem'], resources: ['*'] }));

    expect(nagFindings(stack)).toEqual([
      'AwsSolutions-IAM5[Resource::*]: Careless/Role/DefaultPolicy/Resource',
    ]);
  });
});
