/**
 * Records metrics through Powertools: as lines of the log in the Embedded Metric Format, which CloudWatch
 * turns into metrics without a call of ours.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html
 */
import { Metrics as Powertools } from '@aws-lambda-powertools/metrics';
import type { ErrorCode, WechatErrorCode } from '../contracts/errors.ts';
import {
  type CountedMetric,
  METRICS_NAMESPACE,
  type MetricName,
  metricCatalogue,
  type RefusalReason,
} from '../contracts/metrics.ts';
import { describeError } from './describe-error.ts';
import type { Log } from './logger.ts';

/** What each dimension may say: our own words only, because each further value is one more metric to pay. */
interface DimensionValues {
  readonly Logins: 'ok' | ErrorCode;
  readonly WechatExchanges: 'ok' | WechatErrorCode;
  readonly Failures: 'internal' | 'unavailable';
  readonly AuthorizerDecisions: 'allow' | 'refuse' | 'deny' | 'none';
  readonly TokenRefusals: RefusalReason | Extract<ErrorCode, 'token_revoked' | 'user_banned' | 'forbidden'>;
}

/** Records metrics, one document of one line a call. It never throws: a request must not fail for it. */
export interface Metrics {
  /** Counts one more of what the metric's dimension tells apart. */
  count<N extends CountedMetric>(metric: N, value: DimensionValues[N]): void;
  /** Records values that have no dimension but the service; what is undefined has not happened. */
  record(values: Partial<Record<Exclude<MetricName, CountedMetric>, number | undefined>>): void;
}

/**
 * Metrics of the service that `POWERTOOLS_SERVICE_NAME` names.
 *
 * @param log is told when a document cannot be written
 */
export function createMetrics(log: Log): Metrics {
  const powertools = new Powertools({ namespace: METRICS_NAMESPACE });

  /** Adds and publishes without a pause, so that no other request can add to the same document. */
  function write(add: () => void): void {
    try {
      add();
      powertools.publishStoredMetrics();
    } catch (error) {
      log.error('metrics lost', describeError(error));
      // Otherwise they would be part of the next document.
      powertools.clearMetrics();
    }
  }

  return {
    count: (metric, value) =>
      write(() => {
        const { dimension, unit } = metricCatalogue[metric];
        powertools.addDimension(dimension, value).addMetric(metric, unit, 1);
      }),
    record: (values) =>
      write(() => {
        for (const [metric, value] of Object.entries(values))
          if (value !== undefined)
            powertools.addMetric(metric, metricCatalogue[metric as MetricName].unit, value);
      }),
  };
}
