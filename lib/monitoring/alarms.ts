/** Every alarm: what fires it, how urgent it is, and which section of the runbook says what to do. */
import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IAlarm,
  type IMetric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { oldestSigningKeySeconds } from '../../functions/contracts/key-schedule.ts';
import type { StageSettings } from '../settings.ts';
import {
  allFailures,
  databaseThrottles,
  daysToExpiry,
  exchanges,
  failures,
  functionMetric,
  functionThrottles,
  loginFailureRate,
  orderedErasures,
  refusedPushMessages,
  serverErrorRate,
  undecidedTokenRate,
  type WatchedParts,
} from './alarm-metrics.ts';
import type { Severity } from './alarm-topics.ts';
import { serviceMetric } from './service-metrics.ts';

export interface AlarmsProps {
  readonly parts: WatchedParts;
  /** Where alarms of each severity are sent to. */
  readonly topics: Readonly<Record<Severity, ITopic>>;
  /** What the links to the runbook begin with. */
  readonly runbookUrl: string;
  readonly keyRotationDays: number;
  /** Its certificate is watched. @default - there is none */
  readonly customDomain?: StageSettings['customDomain'];
}

interface AlarmEntry {
  readonly severity: Severity;
  /** The runbook's heading. */
  readonly heading: string;
  /** One sentence: what it means for users. */
  readonly meaning: string;
  readonly metric: IMetric;
  /** A value from here on is bad. */
  readonly threshold: number;
  /** How many of the last periods must be bad for it to fire. @default [1, 1] */
  readonly badPeriods?: readonly [bad: number, of: number];
  /** Whether values below the threshold are the bad ones. @default false */
  readonly below?: boolean;
  /** What a period without data means. @default TreatMissingData.NOT_BREACHING: a night without a login is quiet */
  readonly missing?: TreatMissingData;
  /** Whether it rolls a deployment back. Not for what WeChat, or the load, can cause. @default false */
  readonly blamesVersion?: boolean;
}

const MINUTE = Duration.minutes(1);
const FIVE_MINUTES = Duration.minutes(5);

/** Every alarm of a deployment. */
export class Alarms extends Construct {
  /** All of them, the urgent ones first. */
  readonly all: readonly IAlarm[];
  /** Those that roll a deployment back (WeChat's outages excluded). */
  readonly ofBadVersions: readonly IAlarm[];

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    const { topics, runbookUrl } = props;
    const alarms = Object.entries(entriesFor(props)).map(([name, entry]) => {
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
      const action = new SnsAction(topics[entry.severity]);
      alarm.addAlarmAction(action);
      // Every alarm is OK at its first evaluation: of a notice nobody needs to hear that.
      if (entry.severity === 'urgent') alarm.addOkAction(action);
      return { alarm, entry };
    });
    this.all = alarms.map(({ alarm }) => alarm);
    this.ofBadVersions = alarms.filter(({ entry }) => entry.blamesVersion).map(({ alarm }) => alarm);
  }
}

/** The fragment by which Markdown viewers find a heading. */
const anchorOf = (heading: string): string => heading.toLowerCase().replaceAll(' ', '-');

function entriesFor({
  parts,
  keyRotationDays,
  customDomain,
}: AlarmsProps): Readonly<Record<string, AlarmEntry>> {
  const { service, functions } = parts;
  const functionErrors = (name: 'login' | 'member' | 'account'): AlarmEntry => ({
    severity: 'notice',
    heading: 'Function errors',
    meaning: `The ${name} function ended without an answer: a time-out or a crash.`,
    metric: functionMetric('Errors', functions[name], MINUTE),
    threshold: 1,
    badPeriods: [2, 5],
    blamesVersion: true,
  });
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
      // Fires at once, and is over after an hour of quiet: not one mail per login.
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
      blamesVersion: true,
    },
    AuthorizerFailures: {
      severity: 'urgent',
      heading: 'Authorizer failures',
      meaning:
        'The authorizer leaves one in twenty tokens or more without a decision, in percent: logged-in users get 5xx, here and at other teams.',
      metric: undecidedTokenRate(parts),
      threshold: 5,
      badPeriods: [3, 5],
      blamesVersion: true,
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
    AccessTokensFail: {
      severity: 'notice',
      heading: 'Access tokens fail',
      meaning: 'WeChat gives no access token: no phone number can be bound, and no nickname be checked.',
      metric: serviceMetric(service, 'AccessTokenFailures', { statistic: 'Sum' }),
      threshold: 3,
    },
    EventsRefused: {
      severity: 'notice',
      heading: 'Events refused',
      meaning: "Messages of WeChat's push do not fit what is filled in here, or are not WeChat's.",
      // WeChat sends a message that is refused three times.
      metric: refusedPushMessages(service, Duration.hours(1)),
      threshold: 3,
    },
    ManyErasures: {
      severity: 'notice',
      heading: 'Many erasures',
      meaning: 'A hundred accounts or more were erased within an hour, which cannot be taken back.',
      metric: orderedErasures(service, Duration.hours(1)),
      threshold: 100,
    },
    InternalErrors: {
      severity: 'notice',
      heading: 'Internal errors',
      meaning: 'A request met a bug of ours.',
      metric: failures(service, 'internal', MINUTE),
      threshold: 1,
      badPeriods: [1, 15],
      blamesVersion: true,
    },
    Unavailable: {
      severity: 'notice',
      heading: 'Unavailable',
      meaning: 'Requests are answered with 503 because the table or a secret cannot be read.',
      metric: failures(service, 'unavailable', MINUTE),
      threshold: 1,
      badPeriods: [2, 5],
      blamesVersion: true,
    },
    LoginFunctionErrors: functionErrors('login'),
    MemberFunctionErrors: functionErrors('member'),
    AccountFunctionErrors: functionErrors('account'),
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
      // Secrets Manager tries a failed rotation again once a day: the alarm stays until then.
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
    ...(customDomain && certificateEntry(customDomain.certificateArn)),
  };
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
      // ACM stops publishing the metric once the certificate has expired: the alarm then keeps its state.
      missing: TreatMissingData.IGNORE,
    },
  };
}
