/** What an operator is told about, how urgently, and where the runbook says what to do. */
import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IAlarm,
  type IMetric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Construct } from 'constructs';
import { oldestSigningKeySeconds } from '../../functions/contracts/key-schedule.ts';
import {
  allFailures,
  databaseThrottles,
  daysToExpiry,
  exchanges,
  failures,
  functionMetric,
  functionThrottles,
  loginFailureRate,
  serverErrorRate,
  undecidedTokenRate,
  type WatchedParts,
} from './alarm-metrics.ts';
import type { AlarmTopics, Severity } from './alarm-topics.ts';
import { serviceMetric } from './service-metrics.ts';

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
      metric: functionMetric('Errors', functions[name], MINUTE),
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
      metric: exchanges(service, 'wechat_misconfigured', MINUTE),
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
      metric: functionThrottles(parts),
      threshold: 10,
      badPeriods: [2, 2],
    },
    WechatUnavailable: {
      severity: 'notice',
      heading: 'WeChat unavailable',
      meaning: 'Calls to WeChat fail: no connection, no answer in time, or one that makes no sense.',
      metric: exchanges(service, 'wechat_unavailable', FIVE_MINUTES),
      threshold: 5,
    },
    WechatRateLimited: {
      severity: 'notice',
      heading: 'WeChat rate limited',
      meaning: "The mini-program's quota at WeChat is used up, for this minute or this day.",
      metric: exchanges(service, 'rate_limited', FIVE_MINUTES),
      threshold: 5,
    },
    InternalErrors: {
      severity: 'notice',
      heading: 'Internal errors',
      meaning: 'A request met a bug of ours.',
      metric: failures(service, 'internal', MINUTE),
      threshold: 1,
      badPeriods: [1, 15],
    },
    Unavailable: {
      severity: 'notice',
      heading: 'Unavailable',
      meaning: 'Requests are answered with 503 because the table or a secret cannot be read.',
      metric: failures(service, 'unavailable', MINUTE),
      threshold: 1,
      badPeriods: [2, 5],
    },
    LoginFunctionErrors: functionErrors('login'),
    MemberFunctionErrors: functionErrors('member'),
    LastingFailures: {
      severity: 'notice',
      heading: 'Lasting failures',
      meaning: 'Few requests fail, but again and again, and WeChat is not why.',
      metric: allFailures(parts, FIVE_MINUTES),
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
      metric: functionMetric('Errors', parts.rotation),
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

function certificateEntry(certificateArn: string): Record<string, AlarmEntry> {
  return {
    CertificateExpires: {
      severity: 'notice',
      heading: 'Certificate expires',
      meaning: 'The certificate of the custom domain should have been renewed by now; it ends in days.',
      metric: daysToExpiry(certificateArn),
      threshold: 20,
      below: true,
      // There is none from the day on that it has ended.
      missing: TreatMissingData.IGNORE,
    },
  };
}
