/** What an operator is told about, how urgently, and where the runbook says what to do. */
import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IAlarm,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Construct } from 'constructs';
import type { ErrorCode } from '../functions/errors/catalogue.ts';
import { oldestSigningKeySeconds } from '../functions/tokens/key-schedule.ts';
import type { AlarmTopics, Severity } from './alarm-topics.ts';
import { serviceMetric } from './service-metrics.ts';

/** What CloudWatch calls the parts that are watched. */
export interface WatchedParts {
  /** Value of the metrics' `service` dimension. */
  readonly service: string;
  /** Dimensions of the API's own metrics. */
  readonly api: { readonly ApiName: string; readonly Stage: string };
  /** Dimensions of the functions' metrics, by the functions' names. */
  readonly functions: Readonly<
    Record<'login' | 'member' | 'authorizer', { readonly FunctionName: string; readonly Resource: string }>
  >;
  readonly rotation: { readonly FunctionName: string };
  readonly tableName: string;
  readonly indexName: string;
}

/** Settings of {@link Alarms}. */
export interface AlarmsProps {
  readonly parts: WatchedParts;
  readonly topics: AlarmTopics;
  /** What the links to the runbook begin with. */
  readonly runbookUrl: string;
  readonly keyRotationDays: number;
  /** Of the custom domain. @default - there is none to watch */
  readonly certificateArn?: string | undefined;
}

interface AlarmEntry {
  readonly severity: Severity;
  /** The runbook's heading. */
  readonly heading: string;
  /** One sentence: what it means for users. */
  readonly meaning: string;
  readonly metric: IMetric;
  /** From here on it is bad. */
  readonly threshold: number;
  /** Periods that are looked at, and how many of them have to be bad. @default [1, 1] */
  readonly badPeriods?: readonly [bad: number, of: number];
  /** Whether it is what is below the threshold that is bad. @default false */
  readonly below?: boolean;
  /** What no data means. @default TreatMissingData.NOT_BREACHING: a night without a login is quiet */
  readonly missing?: TreatMissingData;
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

/** Every alarm of a deployment. */
export class Alarms extends Construct {
  /** All of them, the urgent ones first. */
  readonly all: readonly IAlarm[];
  /** Those that tell a bad version of a function from a bad day at WeChat. */
  readonly ofBadVersions: readonly IAlarm[];

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    const { topics, runbookUrl } = props;
    const entries: Readonly<Record<string, AlarmEntry>> = {
      ...entriesFor(props),
      ...(props.certificateArn !== undefined && certificateEntry(props.certificateArn)),
    };
    const alarms = Object.entries(entries).map(([name, entry]): [string, IAlarm] => {
      const [bad, of] = entry.badPeriods ?? [1, 1];
      const alarm = new Alarm(this, name, {
        alarmName: `${props.parts.service}-${name}`,
        alarmDescription: `${entry.severity}: ${entry.meaning} ${runbookUrl}#${anchorOf(entry.heading)}`,
        metric: entry.metric,
        threshold: entry.threshold,
        comparisonOperator: entry.below
          ? ComparisonOperator.LESS_THAN_THRESHOLD
          : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        evaluationPeriods: of,
        datapointsToAlarm: bad,
        treatMissingData: entry.missing ?? TreatMissingData.NOT_BREACHING,
      });
      const action = new SnsAction(topics.topics[entry.severity]);
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
      return [name, alarm];
    });
    const named = Object.fromEntries(alarms) as Record<AlarmName, IAlarm>;
    this.all = alarms.map(([, alarm]) => alarm);
    this.ofBadVersions = [
      named.ServerErrors,
      named.AuthorizerFailures,
      named.InternalErrors,
      named.Unavailable,
      named.LoginFunctionErrors,
      named.MemberFunctionErrors,
    ];
  }
}

type AlarmName = keyof ReturnType<typeof entriesFor>;

/** The fragment by which Markdown viewers find a heading. */
const anchorOf = (heading: string): string => heading.toLowerCase().replaceAll(' ', '-');

function entriesFor({ parts, keyRotationDays }: AlarmsProps) {
  const { service, functions } = parts;
  const functionErrors = (name: 'login' | 'member') =>
    ({
      severity: 'notice',
      heading: 'Function errors',
      meaning: `The ${name} function ended without an answer: a time-out or a crash.`,
      metric: lambda('Errors', functions[name], MINUTE),
      threshold: 1,
      badPeriods: [2, 5],
    }) as const;
  return {
    LoginFailures: {
      severity: 'urgent',
      heading: 'Login failures',
      meaning: 'A quarter or more of the logins fail, in percent.',
      metric: loginFailureRate(parts, { period: FIVE_MINUTES, atLeast: 5 }),
      threshold: 25,
      badPeriods: [2, 2],
    },
    WechatMisconfigured: {
      severity: 'urgent',
      heading: 'WeChat misconfigured',
      meaning: 'WeChat refuses an AppID, an AppSecret or our address, or an AppSecret is not filled in.',
      metric: serviceMetric(service, 'WechatExchanges', {
        of: 'wechat_misconfigured' satisfies ErrorCode,
        statistic: 'Sum',
        period: MINUTE,
      }),
      threshold: 1,
      // At once, and over only when it has been quiet for an hour: not one mail a login.
      badPeriods: [1, 60],
    },
    ServerErrors: {
      severity: 'urgent',
      heading: 'Server errors',
      meaning:
        'One in twenty requests or more is answered with 5xx that is not the doing of WeChat, in percent.',
      metric: serverErrorRate(parts),
      threshold: 5,
      badPeriods: [3, 5],
    },
    AuthorizerFailures: {
      severity: 'urgent',
      heading: 'Authorizer failures',
      meaning:
        'The authorizer leaves one in twenty tokens or more without a verdict, in percent: logged-in users get 5xx, here and at other teams.',
      metric: undecidedTokenRate(parts),
      threshold: 5,
      badPeriods: [3, 5],
    },
    FunctionThrottles: {
      severity: 'urgent',
      heading: 'Function throttles',
      meaning: 'Lambda turns requests away: the concurrency of a function or of the account is used up.',
      metric: new MathExpression({
        expression: 'FILL(login, 0) + FILL(member, 0) + FILL(authorizer, 0)',
        usingMetrics: {
          login: lambda('Throttles', functions.login),
          member: lambda('Throttles', functions.member),
          authorizer: lambda('Throttles', functions.authorizer),
        },
        period: FIVE_MINUTES,
        label: 'Throttles',
      }),
      threshold: 10,
      badPeriods: [2, 2],
    },
    WechatUnavailable: {
      severity: 'notice',
      heading: 'WeChat unavailable',
      meaning: 'Calls to WeChat fail: no connection, no answer in time, or one that makes no sense.',
      metric: serviceMetric(service, 'WechatExchanges', {
        of: 'wechat_unavailable' satisfies ErrorCode,
        statistic: 'Sum',
      }),
      threshold: 5,
    },
    WechatRateLimited: {
      severity: 'notice',
      heading: 'WeChat rate limited',
      meaning: "The mini-program's quota at WeChat is used up, for this minute or this day.",
      metric: serviceMetric(service, 'WechatExchanges', {
        of: 'rate_limited' satisfies ErrorCode,
        statistic: 'Sum',
      }),
      threshold: 5,
    },
    InternalErrors: {
      severity: 'notice',
      heading: 'Internal errors',
      meaning: 'A request met a bug of ours.',
      metric: serviceMetric(service, 'Failures', {
        of: 'internal' satisfies ErrorCode,
        statistic: 'Sum',
        period: MINUTE,
      }),
      threshold: 1,
      badPeriods: [1, 15],
    },
    Unavailable: {
      severity: 'notice',
      heading: 'Unavailable',
      meaning: 'Requests are answered with 503 because the table or a secret cannot be read.',
      metric: serviceMetric(service, 'Failures', {
        of: 'unavailable' satisfies ErrorCode,
        statistic: 'Sum',
        period: MINUTE,
      }),
      threshold: 1,
      badPeriods: [2, 5],
    },
    LoginFunctionErrors: functionErrors('login'),
    MemberFunctionErrors: functionErrors('member'),
    LastingFailures: {
      severity: 'notice',
      heading: 'Lasting failures',
      meaning: 'Few requests fail, but again and again, and WeChat is not why.',
      metric: failures(parts),
      threshold: 1,
      badPeriods: [3, 36],
    },
    LastingLoginFailures: {
      severity: 'notice',
      heading: 'Lasting login failures',
      meaning: 'There are few logins, and half of them or more fail, in percent.',
      metric: loginFailureRate(parts, { period: Duration.hours(3), atLeast: 3 }),
      threshold: 50,
    },
    LoginLatency: {
      severity: 'notice',
      heading: 'Login latency',
      meaning: 'One login in a hundred takes longer than three seconds.',
      metric: serviceMetric(service, 'LoginDuration', { statistic: 'p99' }),
      threshold: 3_000,
      badPeriods: [3, 3],
    },
    RotationFailed: {
      severity: 'notice',
      heading: 'Rotation failed',
      meaning: 'The signing keys could not be rotated; tokens are signed and verified as before.',
      metric: lambda('Errors', parts.rotation),
      threshold: 1,
      // A rotation is tried again once a day: until then nothing is over.
      badPeriods: [1, 288],
    },
    SigningKeyTooOld: {
      severity: 'notice',
      heading: 'Signing key too old',
      meaning: 'The key that signs should have been replaced by now, in seconds.',
      metric: serviceMetric(service, 'SigningKeyAge', { statistic: 'Maximum' }),
      threshold: oldestSigningKeySeconds(keyRotationDays),
      badPeriods: [1, 288],
    },
    RequestsThrottled: {
      severity: 'notice',
      heading: 'Requests throttled',
      meaning: 'API Gateway turns requests away: more come than the stage lets through.',
      metric: serviceMetric(service, 'ThrottledRequests', { statistic: 'Sum' }),
      threshold: 50,
    },
    DatabaseThrottles: {
      severity: 'notice',
      heading: 'Database throttles',
      meaning: 'DynamoDB turns calls away that the functions then repeat.',
      metric: databaseThrottles(parts),
      threshold: 5,
      badPeriods: [2, 2],
    },
  } as const satisfies Record<string, AlarmEntry>;
}

/** https://docs.aws.amazon.com/acm/latest/userguide/cloudwatch-metrics.html */
function certificateEntry(certificateArn: string): Record<string, AlarmEntry> {
  return {
    CertificateExpires: {
      severity: 'notice',
      heading: 'Certificate expires',
      meaning: 'The certificate of the custom domain should have been renewed by now; it ends in days.',
      metric: new Metric({
        namespace: 'AWS/CertificateManager',
        metricName: 'DaysToExpiry',
        dimensionsMap: { CertificateArn: certificateArn },
        statistic: 'Minimum',
        period: Duration.days(1),
      }),
      threshold: 20,
      below: true,
      // There is none from the day on that it has ended.
      missing: TreatMissingData.IGNORE,
    },
  };
}

/** What Lambda itself says about a function. */
function lambda(
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
 * Percent of the logins that were not the client's own mistake, where enough failed. One that ended without an answer
 * has recorded nothing itself.
 */
function loginFailureRate(
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
    expression: `IF((${sum}) >= ${atLeast}, 100 * (${sum}) / (${sum} + FILL(ok, 0)), 0)`,
    usingMetrics: {
      ...failed,
      crashed: lambda('Errors', functions.login, period),
      ok: serviceMetric(service, 'Logins', { of: 'ok', statistic: 'Sum', period }),
    },
    period,
    label: 'Failed logins (%)',
  });
}

/** The answers of 500 or more, by who made them; logins that failed at WeChat are not among them. */
const failuresOf = (service: string, period: Duration): Record<string, Metric> => ({
  gateway: serviceMetric(service, 'GatewayFailures', { statistic: 'Sum', period }),
  internal: serviceMetric(service, 'Failures', {
    of: 'internal' satisfies ErrorCode,
    statistic: 'Sum',
    period,
  }),
  unavailable: serviceMetric(service, 'Failures', {
    of: 'unavailable' satisfies ErrorCode,
    statistic: 'Sum',
    period,
  }),
});
const FAILURES = 'FILL(gateway, 0) + FILL(internal, 0) + FILL(unavailable, 0)';

/**
 * Percent of the requests, where at least five failed. API Gateway's own count of 5xx may leave out answers whose status
 * we have changed: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
 */
function serverErrorRate({ service, api }: WatchedParts): IMetric {
  return new MathExpression({
    expression: `IF((${FAILURES}) >= 5, 100 * (${FAILURES}) / requests, 0)`,
    usingMetrics: {
      ...failuresOf(service, MINUTE),
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

/** How many requests failed; those of other teams as far as the authorizer lived to record it. */
function failures({ service }: WatchedParts): IMetric {
  return new MathExpression({
    expression: `${FAILURES} + FILL(undecided, 0)`,
    usingMetrics: {
      ...failuresOf(service, FIVE_MINUTES),
      undecided: serviceMetric(service, 'AuthorizerDecisions', { of: 'none', statistic: 'Sum' }),
    },
    period: FIVE_MINUTES,
    label: 'Failures',
  });
}

/**
 * Percent of the authorizer's invocations without a verdict, where at least three have none: one that crashed or ran out
 * of time could record nothing itself. A rate, because a verdict may be counted in the minute after its question.
 */
function undecidedTokenRate({ service, functions }: WatchedParts): IMetric {
  const decided = (decision: string): Metric =>
    serviceMetric(service, 'AuthorizerDecisions', { of: decision, statistic: 'Sum', period: MINUTE });
  const undecided = '(asked - FILL(allow, 0) - FILL(refuse, 0) - FILL(deny, 0))';
  return new MathExpression({
    expression: `IF(${undecided} >= 3, 100 * ${undecided} / asked, 0)`,
    usingMetrics: {
      asked: lambda('Invocations', functions.authorizer, MINUTE),
      allow: decided('allow'),
      refuse: decided('refuse'),
      deny: decided('deny'),
    },
    period: MINUTE,
    label: 'Tokens without a verdict (%)',
  });
}

function databaseThrottles({ tableName, indexName }: WatchedParts): IMetric {
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
