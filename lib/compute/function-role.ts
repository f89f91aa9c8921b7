/** A function's log group, and a role that may write to it and do nothing else until something is granted to it. */
import { RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

/** Creates both under the scope, as `Logs` and `Role`; the logs go with the stack unless the policy says otherwise. */
export function createFunctionRole(
  scope: Construct,
  retention: RetentionDays,
  removalPolicy = RemovalPolicy.DESTROY,
): { role: Role; logGroup: LogGroup } {
  const logGroup = new LogGroup(scope, 'Logs', { retention, removalPolicy });
  const role = new Role(scope, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  role.addToPolicy(
    new PolicyStatement({
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [logGroup.logGroupArn],
    }),
  );
  return { role, logGroup };
}
