/**
 * One line a request to the API, also for those that reach no function: throttled, blocked, unknown. Under a flood API
 * Gateway may leave lines out, so what is counted from them is the least that was.
 */
import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import {
  AccessLogFormat,
  CfnAccount,
  type CfnRestApi,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigateway';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { FilterPattern, type IFilterPattern, LogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { METRICS_NAMESPACE, type MetricName, SERVICE_DIMENSION } from '../../functions/contracts/metrics.ts';
import { dataRemovalPolicy } from '../data/removal-policy.ts';
import type { StageSettings } from '../settings.ts';

export interface AccessLogProps {
  /** Value of the metrics' `service` dimension. */
  readonly service: string;
  readonly settings: Pick<StageSettings, 'logRetentionDays' | 'protectData' | 'apiGatewayLogRole'>;
}

/** The log of an API, and what API Gateway needs to be allowed to write it. */
export class AccessLog extends Construct {
  readonly logGroup: LogGroup;
  readonly destination: LogGroupLogDestination;
  readonly format: AccessLogFormat;
  private readonly account: CfnAccount | undefined;

  constructor(scope: Construct, id: string, { service, settings }: AccessLogProps) {
    super(scope, id);
    this.logGroup = new LogGroup(this, 'Logs', {
      retention: settings.logRetentionDays,
      removalPolicy: dataRemovalPolicy(settings),
    });
    this.destination = new LogGroupLogDestination(this.logGroup);
    this.format = AccessLogFormat.custom(JSON.stringify(lineOf(service)));
    this.count('Throttled', 'ThrottledRequests', FilterPattern.stringValue('$.refusal', '=', 'THROTTLED'));
    this.count(
      'Failed',
      'GatewayFailures',
      FilterPattern.all(
        FilterPattern.stringValue('$.status', '=', '5*'),
        FilterPattern.any(
          FilterPattern.stringValue('$.refusal', '!=', NONE),
          FilterPattern.stringValue('$.route', '=', '/.well-known/*'),
        ),
      ),
    );
    this.account = settings.apiGatewayLogRole ? createApiGatewayLogRole(this) : undefined;
  }

  /**
   * An account that has never had an API cannot be given the role:
   * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-apigateway-account.html
   *
   * @param api without its stage, which waits for the role
   */
  waitFor(api: CfnRestApi): void {
    this.account?.node.addDependency(api);
  }

  /** Makes a metric of how many lines match. */
  private count(id: string, metricName: MetricName, filterPattern: IFilterPattern): void {
    new MetricFilter(this, id, {
      logGroup: this.logGroup,
      filterPattern,
      metricNamespace: METRICS_NAMESPACE,
      metricName,
      metricValue: '1',
      dimensions: { [SERVICE_DIMENSION]: `$.${SERVICE_DIMENSION}` },
    });
  }
}

/** What API Gateway writes for a variable that has no value. */
const NONE = '-';

/**
 * What a line says. Neither the query nor any header is in it, nor the path as it was sent: those are the client's words,
 * and may hold a token.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
 */
const lineOf = (service: string): Readonly<Record<string, string>> => ({
  [SERVICE_DIMENSION]: service,
  request_id: '$context.requestId',
  /** Unlike the id above, which callers may choose with a header. Responses have it as `x-amz-apigw-id`. */
  extended_request_id: '$context.extendedRequestId',
  time: '$context.requestTimeEpoch',
  ip: '$context.identity.sourceIp',
  method: '$context.httpMethod',
  route: '$context.resourcePath',
  status: '$context.status',
  /** API Gateway's name for its own refusal, such as `THROTTLED` or `WAF_FILTERED`. */
  refusal: '$context.error.responseType',
  duration_ms: '$context.responseLatency',
  integration_ms: '$context.integrationLatency',
  authorizer_ms: '$context.authorizer.latency',
  user_id: '$context.authorizer.user_id',
  bytes: '$context.responseLength',
});

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html#set-up-access-logging-permissions */
const logWriterActions = [
  'logs:CreateLogGroup',
  'logs:CreateLogStream',
  'logs:DescribeLogGroups',
  'logs:DescribeLogStreams',
  'logs:PutLogEvents',
  'logs:GetLogEvents',
  'logs:FilterLogEvents',
];

/**
 * The role through which API Gateway writes the logs of every API of this account and region. Without one a stage with
 * an access log cannot be deployed. Both stay when the stack goes, because other APIs may have come to depend on them.
 */
function createApiGatewayLogRole(scope: Construct): CfnAccount {
  const role = new Role(scope, 'Role', {
    description: 'Lets API Gateway write the logs of all APIs of this account and region',
    assumedBy: new ServicePrincipal('apigateway.amazonaws.com'),
    // In the role itself, so that it stays with it.
    inlinePolicies: {
      Logs: new PolicyDocument({
        statements: [new PolicyStatement({ actions: logWriterActions, resources: ['*'] })],
      }),
    },
  });
  const account = new CfnAccount(scope, 'Account', { cloudWatchRoleArn: role.roleArn });
  role.applyRemovalPolicy(RemovalPolicy.RETAIN);
  account.applyRemovalPolicy(RemovalPolicy.RETAIN);
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason:
      'API Gateway has one role for the logs of all APIs of the account, whatever their names, and refuses one that may do less.',
  });
  return account;
}
