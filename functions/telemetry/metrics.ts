/**
 * Records metrics as lines of the log in the Embedded Metric Format, which CloudWatch turns into metrics without a call
 * of ours, and drops without a word when one breaks the format: a test reads each line strictly (docs/decisions/0026).
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html
 */
import type { ErrorCode, WechatErrorCode } from '../contracts/errors.ts';
import {
  type CountedMetric,
  METRICS_NAMESPACE,
  type MetricName,
  metricCatalogue,
  type PushResult,
  type RefusalReason,
  SERVICE_DIMENSION,
} from '../contracts/metrics.ts';
import { describeError } from './describe-error.ts';
import type { Log } from './logger.ts';
import { writeLine } from './write-line.ts';

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
  const service = { [SERVICE_DIMENSION]: process.env.POWERTOOLS_SERVICE_NAME };

  function write(document: () => object): void {
    try {
      writeLine(document());
    } catch (error) {
      log.error('metrics lost', describeError(error));
    }
  }

  return {
    count: (metric, value) =>
      write(() => documentOf({ ...service, [metricCatalogue[metric].dimension]: value }, { [metric]: 1 })),
    record(values) {
      const happened = Object.entries(values).filter(([, value]) => value !== undefined);
      if (happened.length > 0) write(() => documentOf(service, Object.fromEntries(happened)));
    },
  };
}

/** @throws TypeError when what is measured is no metric of ours, or no number */
function documentOf(dimensions: object, values: Readonly<Record<string, unknown>>): object {
  const metrics = Object.entries(values).map(([name, value]) => {
    if (!Number.isFinite(value)) throw new TypeError(`${name} is no number`);
    return { Name: name, Unit: metricCatalogue[name as MetricName].unit };
  });
  const directive = {
    Namespace: METRICS_NAMESPACE,
    Dimensions: [Object.keys(dimensions)],
    Metrics: metrics,
  };
  return { _aws: { Timestamp: Date.now(), CloudWatchMetrics: [directive] }, ...dimensions, ...values };
}
