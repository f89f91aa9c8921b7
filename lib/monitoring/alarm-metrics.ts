/** What the alarms watch: single metrics, and formulas of several, each with what it leaves out and why. */
import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { ErrorCode } from '../../functions/contracts/errors.ts';
import type { CountedMetric, PushRefusalReason } from '../../functions/contracts/metrics.ts';
import { serviceMetric } from './service-metrics.ts';

/** What CloudWatch calls the parts that are watched. */
export interface WatchedParts {
  /** Value of the metrics' `service` dimension. */
  readonly service: string;
  /** Dimensions of the API's own metrics. */
  readonly api: { readonly ApiName: string; readonly Stage: string };
  /** Dimensions of the functions' metrics, by the functions' names. */
  readonly functions: Readonly<
    Record<
      'login' | 'member' | 'account' | 'authorizer',
      { readonly FunctionName: string; readonly Resource: string }
    >
  >;
  readonly rotation: { readonly FunctionName: string };
  readonly tableName: string;
  readonly indexName: string;
}

/** Logins that fail through no fault of the client. */
const loginFailures = [
  'internal',
  'unavailable',
  'wechat_unavailable',
  'wechat_misconfigured',
  'rate_limited',
] as const satisfies readonly ErrorCode[];

const MINUTE = Duration.minutes(1);
const FIVE_MINUTES = Duration.minutes(5);

/**
 * A formula: percent of requests that are bad, where at least so many are; below that one bad request would be a high rate.
 * CloudWatch has no variables inside of a formula, so `bad` stands in it twice.
 */
const percentWhere = (bad: string, of: string, atLeast: number): string =>
  `IF((${bad}) >= ${atLeast}, 100 * (${bad}) / ${of}, 0)`;

/** Exchanges of a code that ended in one of WeChat's errors. */
export const exchanges = (service: string, of: ErrorCode, period: Duration): Metric =>
  serviceMetric(service, 'WechatExchanges', { of, statistic: 'Sum', period });

/** Responses of the functions that are our own failure. */
export const failures = (service: string, of: 'internal' | 'unavailable', period: Duration): Metric =>
  serviceMetric(service, 'Failures', { of, statistic: 'Sum', period });

/** One of Lambda's own counts for a function. */
export function functionMetric(
  metricName: string,
  dimensionsMap: Readonly<Record<string, string>>,
  period = FIVE_MINUTES,
): Metric {
  return new Metric({
    namespace: 'AWS/Lambda',
    metricName,
    dimensionsMap: { ...dimensionsMap },
    statistic: 'Sum',
    period,
  });
}

/**
 * Percent of failed logins, the client's own mistakes left out. A login whose function crashed recorded nothing itself,
 * so Lambda's count of errors is added.
 */
export function loginFailureRate(
  { service, functions }: WatchedParts,
  { period, atLeast }: { readonly period: Duration; readonly atLeast: number },
): IMetric {
  const failed = Object.fromEntries(
    loginFailures.map((outcome) => [
      outcome,
      serviceMetric(service, 'Logins', { of: outcome, statistic: 'Sum', period }),
    ]),
  );
  const sum = [...loginFailures, 'crashed'].map((outcome) => `FILL(${outcome}, 0)`).join(' + ');
  return new MathExpression({
    expression: percentWhere(sum, `(${sum} + FILL(ok, 0))`, atLeast),
    usingMetrics: {
      ...failed,
      crashed: functionMetric('Errors', functions.login, period),
      ok: serviceMetric(service, 'Logins', { of: 'ok', statistic: 'Sum', period }),
    },
    period,
    label: 'Failed logins (%)',
  });
}

/** Responses of 500 or more, by what made them, without logins that failed at WeChat. */
const failuresByMaker = (service: string, period: Duration): Record<string, Metric> => ({
  gateway: serviceMetric(service, 'GatewayFailures', { statistic: 'Sum', period }),
  internal: failures(service, 'internal', period),
  unavailable: failures(service, 'unavailable', period),
});
const FAILURES = 'FILL(gateway, 0) + FILL(internal, 0) + FILL(unavailable, 0)';

/**
 * Percent of the requests that got a 5xx. Not API Gateway's own count of 5xx: it may leave out responses whose status we
 * have changed. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
 */
export function serverErrorRate({ service, api }: WatchedParts): IMetric {
  return new MathExpression({
    expression: percentWhere(FAILURES, 'requests', 5),
    usingMetrics: {
      ...failuresByMaker(service, MINUTE),
      requests: new Metric({
        namespace: 'AWS/ApiGateway',
        metricName: 'Count',
        dimensionsMap: { ...api },
        statistic: 'SampleCount',
        period: MINUTE,
      }),
    },
    period: MINUTE,
    label: 'Requests answered with 5xx of ours (%)',
  });
}

/** Failed requests, plus authorizer calls without a decision; an authorizer that crashed is not counted here. */
export function allFailures({ service }: WatchedParts, period: Duration): IMetric {
  return new MathExpression({
    expression: `${FAILURES} + FILL(undecided, 0)`,
    usingMetrics: {
      ...failuresByMaker(service, period),
      undecided: serviceMetric(service, 'AuthorizerDecisions', { of: 'none', statistic: 'Sum', period }),
    },
    period,
    label: 'Failures',
  });
}

/**
 * Percent of the authorizer's invocations without a decision, crashes and time-outs included. A rate, because a decision
 * may be counted in the minute after its invocation.
 */
export function undecidedTokenRate({ service, functions }: WatchedParts): IMetric {
  const decided = (decision: string): Metric =>
    serviceMetric(service, 'AuthorizerDecisions', { of: decision, statistic: 'Sum', period: MINUTE });
  return new MathExpression({
    expression: percentWhere('calls - FILL(allow, 0) - FILL(refuse, 0) - FILL(deny, 0)', 'calls', 3),
    usingMetrics: {
      calls: functionMetric('Invocations', functions.authorizer, MINUTE),
      allow: decided('allow'),
      refuse: decided('refuse'),
      deny: decided('deny'),
    },
    period: MINUTE,
    label: 'Tokens without a decision (%)',
  });
}

/** Reads and writes that DynamoDB turned away, of the table and of its index. */
export function databaseThrottles({ tableName, indexName }: WatchedParts): IMetric {
  const events = (metricName: string, index?: string): Metric =>
    new Metric({
      namespace: 'AWS/DynamoDB',
      metricName,
      dimensionsMap: {
        TableName: tableName,
        ...(index !== undefined && { GlobalSecondaryIndexName: index }),
      },
      statistic: 'Sum',
      period: FIVE_MINUTES,
    });
  return new MathExpression({
    expression: 'FILL(reads, 0) + FILL(writes, 0) + FILL(indexReads, 0) + FILL(indexWrites, 0)',
    usingMetrics: {
      reads: events('ReadThrottleEvents'),
      writes: events('WriteThrottleEvents'),
      indexReads: events('ReadThrottleEvents', indexName),
      indexWrites: events('WriteThrottleEvents', indexName),
    },
    period: FIVE_MINUTES,
    label: 'Throttled reads and writes',
  });
}

/** Invocations that Lambda turned away, of the functions that users wait for. */
export function functionThrottles({ functions }: WatchedParts): IMetric {
  return new MathExpression({
    expression: 'FILL(login, 0) + FILL(member, 0) + FILL(account, 0) + FILL(authorizer, 0)',
    usingMetrics: {
      login: functionMetric('Throttles', functions.login),
      member: functionMetric('Throttles', functions.member),
      account: functionMetric('Throttles', functions.account),
      authorizer: functionMetric('Throttles', functions.authorizer),
    },
    period: FIVE_MINUTES,
    label: 'Throttles',
  });
}

/** Push messages that only a wrong Token or EncodingAESKey, or somebody who is not WeChat, brings about. */
export const refusedPushMessages = (service: string, period: Duration): IMetric =>
  sumOf(service, 'PushMessages', pushRefusals, period, 'Push messages refused');

const pushRefusals = ['signature', 'undecryptable', 'no_key'] as const satisfies readonly PushRefusalReason[];

/** Users erased at once, because a member or WeChat said so. */
export const orderedErasures = (service: string, period: Duration): IMetric =>
  sumOf(service, 'Erasures', ['member', 'wechat'], period, 'Users erased');

function sumOf(
  service: string,
  name: CountedMetric,
  values: readonly string[],
  period: Duration,
  label: string,
): IMetric {
  return new MathExpression({
    expression: values.map((value) => `FILL(${value}, 0)`).join(' + '),
    usingMetrics: Object.fromEntries(
      values.map((value) => [value, serviceMetric(service, name, { of: value, statistic: 'Sum', period })]),
    ),
    period,
    label,
  });
}

/** Days until a certificate ends: https://docs.aws.amazon.com/acm/latest/userguide/cloudwatch-metrics.html */
export const daysToExpiry = (certificateArn: string): Metric =>
  new Metric({
    namespace: 'AWS/CertificateManager',
    metricName: 'DaysToExpiry',
    dimensionsMap: { CertificateArn: certificateArn },
    statistic: 'Minimum',
    period: Duration.days(1),
  });
