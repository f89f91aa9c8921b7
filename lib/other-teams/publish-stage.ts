/** What the login stack does for other teams: publishes how to trust its tokens, and lets their APIs call the authorizer. */
import { Stack } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';
import { type StageParameter, stageParameterName, stageParameters } from './stage-parameters.ts';

/** Writes the stage's SSM parameters, which `WechatTokenIssuer.fromStage` and the operator commands read. */
export function publishStage(
  scope: Construct,
  stage: string,
  values: Readonly<Record<StageParameter, string>>,
): void {
  for (const parameter of stageParameters) {
    new StringParameter(scope, `Parameter-${parameter}`, {
      parameterName: stageParameterName(stage, parameter),
      stringValue: values[parameter],
    });
  }
}

/** Lets the API Gateways of an account call the function as an authorizer, in our region and for nothing else. */
export function admitApisOf(account: string, authorizer: IFunction): void {
  authorizer.addPermission(`AuthorizersOf${account}`, {
    principal: new ServicePrincipal('apigateway.amazonaws.com'),
    sourceArn: Stack.of(authorizer).formatArn({
      service: 'execute-api',
      account,
      resource: '*',
      resourceName: 'authorizers/*',
    }),
  });
}
