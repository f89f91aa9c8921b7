/** Lets a new version of a function prove itself on a tenth of the requests before it gets all of them. */
import { Stack, Validations } from 'aws-cdk-lib';
import type { IAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { LambdaApplication, LambdaDeploymentConfig, LambdaDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Alias, CfnFunction, IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';

export interface GradualDeploymentProps {
  /** By the name of the function; each is moved by itself. */
  readonly aliases: Readonly<Record<string, Alias>>;
  /** Any of them rolls the new version back. */
  readonly alarms: readonly IAlarm[];
}

/** One CodeDeploy application with a deployment group for each alias. */
export class GradualDeployment extends Construct {
  constructor(scope: Construct, id: string, { aliases, alarms }: GradualDeploymentProps) {
    super(scope, id);
    const role = new Role(this, 'Role', {
      description: 'Lets CodeDeploy move the aliases of the functions',
      // https://docs.aws.amazon.com/codedeploy/latest/userguide/security_confused_deputy.html
      assumedBy: new ServicePrincipal('codedeploy.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    });
    role.addToPolicy(
      new PolicyStatement({
        actions: ['lambda:GetAlias', 'lambda:UpdateAlias', 'lambda:GetProvisionedConcurrencyConfig'],
        resources: Object.values(aliases).flatMap(({ lambda }) => [
          lambda.functionArn,
          `${lambda.functionArn}:*`,
        ]),
      }),
    );
    role.addToPolicy(new PolicyStatement({ actions: ['cloudwatch:DescribeAlarms'], resources: ['*'] }));
    Validations.of(role).acknowledge(
      {
        id: 'AwsSolutions-IAM5[Resource::*]',
        reason:
          'As in the policy that AWS keeps for this: whether alarms can be named singly is not documented.',
      },
      ...Object.values(aliases).map(({ lambda }) => ({
        id: `AwsSolutions-IAM5[Resource::<${logicalIdOf(lambda)}.Arn>:*]`,
        reason: 'The aliases and versions of this one function.',
      })),
    );
    const application = new LambdaApplication(this, 'Application');
    for (const [name, alias] of Object.entries(aliases)) {
      const group = new LambdaDeploymentGroup(this, name, {
        application,
        alias,
        alarms: [...alarms],
        deploymentConfig: LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES,
        // Without it AWS's own policy would be attached, which may touch every function of the account.
        role: role.withoutPolicyUpdates(),
      });
      // The statements are a resource of their own, which must be there first.
      group.node.addDependency(role);
    }
  }
}

function logicalIdOf(lambda: IFunction): string {
  return Stack.of(lambda).getLogicalId(lambda.node.defaultChild as CfnFunction);
}
