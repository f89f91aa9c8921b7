/** The metrics of one deployment as CloudWatch knows them, for its alarms and its dashboard. */
import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import {
  METRICS_NAMESPACE,
  type MetricEntry,
  type MetricName,
  metricCatalogue,
  SERVICE_DIMENSION,
} from '../../functions/contracts/metrics.ts';

/** Which values of a metric are looked at, and how. */
export interface MetricView {
  /** Value of the metric's own dimension; for a metric that has one. */
  readonly of?: string;
  /** Such as `Sum` or `p99`. */
  readonly statistic: string;
  /** @default Duration.minutes(5) */
  readonly period?: Duration;
  readonly label?: string;
}

/** @throws Error when the metric has a dimension and no value of it is named, or the other way round */
export function serviceMetric(service: string, name: MetricName, view: MetricView): Metric {
  const { dimension }: MetricEntry = metricCatalogue[name];
  if ((dimension === undefined) !== (view.of === undefined))
    throw new Error(`${name} has ${dimension === undefined ? 'no dimension' : `the dimension ${dimension}`}`);
  return new Metric({
    namespace: METRICS_NAMESPACE,
    metricName: name,
    dimensionsMap: {
      [SERVICE_DIMENSION]: service,
      ...(dimension !== undefined && view.of !== undefined && { [dimension]: view.of }),
    },
    statistic: view.statistic,
    period: view.period ?? Duration.minutes(5),
    ...(view.label !== undefined && { label: view.label }),
  });
}
