/**
 * Records metrics: they go along with the next line of the log, and CloudWatch takes them from there without a call of
 * ours. It drops without a word what breaks the format: a test reads each line strictly (docs/decisions/0026).
 */
import type { ErrorCode, WechatErrorCode } from '../contracts/errors.ts';
import {
  type CountedMetric,
  type MetricName,
  metricCatalogue,
  type PushResult,
  type RefusalReason,
} from '../contracts/metrics.ts';
import { describeError } from './describe-error.ts';
import { type Measured, measured, withMetrics } from './embedded-metrics.ts';
import { completeLinesWith, type Log } from './logger.ts';

/** What each dimension may say: our own words only, because each further value is one more metric to pay. */
interface DimensionValues {
  readonly Logins: 'ok' | ErrorCode;
  readonly WechatExchanges: 'ok' | WechatErrorCode;
  readonly PushMessages: PushResult;
  readonly Erasures: 'member' | 'wechat' | 'schedule';
  readonly Failures: 'internal' | 'unavailable';
  readonly AuthorizerDecisions: 'allow' | 'refuse' | 'deny' | 'none';
  readonly TokenRefusals: RefusalReason | Extract<ErrorCode, 'token_revoked' | 'user_banned' | 'forbidden'>;
}

/** Records metrics of the request under way. It never throws: a request must not fail for it. */
export interface Metrics {
  /** Counts one more of what the metric's dimension tells apart. */
  count<N extends CountedMetric>(metric: N, value: DimensionValues[N]): void;
  /** Records values that have no dimension but the service; what is undefined has not happened. */
  record(values: Partial<Record<Exclude<MetricName, CountedMetric>, number | undefined>>): void;
}

/**
 * Metrics of the service that `POWERTOOLS_SERVICE_NAME` names.
 *
 * @param log is told what cannot be recorded
 */
export function createMetrics(log: Log): Metrics {
  completeLinesWith(withMetrics);

  function keep(make: () => Measured): void {
    try {
      const metrics = make();
      for (const [name, value] of Object.entries(metrics.values))
        if (!(name in metricCatalogue) || !Number.isFinite(value))
          throw new TypeError('no metric, or no number');
      measured(metrics);
    } catch (error) {
      log.error('metrics lost', describeError(error));
    }
  }

  return {
    count: (metric, value) =>
      keep(() => ({ dimension: { [metricCatalogue[metric].dimension]: value }, values: { [metric]: 1 } })),
    record(values) {
      const happened = Object.entries(values).filter(([, value]) => value !== undefined);
      if (happened.length > 0) keep(() => ({ dimension: {}, values: Object.fromEntries(happened) }));
    },
  };
}
