/**
 * Puts the metrics of a request into its log line, where CloudWatch finds them by what `_aws` says (the Embedded Metric
 * Format): a line of their own would say service, time and outcome once more, and every byte of log is paid for.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
import {
  METRICS_NAMESPACE,
  type MetricName,
  metricCatalogue,
  SERVICE_DIMENSION,
} from '../contracts/metrics.ts';

/** Values that were measured together, and the dimension that tells them apart, beside the service. */
export interface Measured {
  readonly dimension: Readonly<Record<string, string>>;
  readonly values: Readonly<Partial<Record<MetricName, number>>>;
}

/** What was measured since the last line. */
let waiting: Measured[] = [];

/** Keeps what was measured for the next line. */
export function measured(metrics: Measured): void {
  waiting.push(metrics);
}

/**
 * The line with what was measured since the last one. What says something else than a member of that name is on lines
 * of its own.
 */
export function withMetrics(line: object): readonly object[] {
  const lines: Record<string, unknown>[] = [];
  let members: Record<string, unknown> = { ...line };
  do {
    const directives: object[] = [];
    const left: Measured[] = [];
    for (const metrics of waiting) {
      const { dimension, values } = metrics;
      const taken = Object.entries(dimension).some(([name, value]) => (members[name] ?? value) !== value);
      if (taken || Object.keys(values).some((name) => name in members)) {
        left.push(metrics);
        continue;
      }
      Object.assign(members, dimension, values);
      directives.push(directiveOf(metrics));
    }
    if (directives.length > 0) members._aws = { Timestamp: Date.now(), CloudWatchMetrics: directives };
    lines.push(members);
    waiting = left;
    members = { [SERVICE_DIMENSION]: members[SERVICE_DIMENSION] };
  } while (waiting.length > 0);
  return lines;
}

function directiveOf({ dimension, values }: Measured): object {
  return {
    Namespace: METRICS_NAMESPACE,
    Dimensions: [[SERVICE_DIMENSION, ...Object.keys(dimension)]],
    Metrics: Object.keys(values).map((name) => ({
      Name: name,
      Unit: metricCatalogue[name as MetricName].unit,
    })),
  };
}
