/** Counts the answers that are our own failure, on any route; WeChat's are counted with the exchanges. */
import type { Metrics } from '../telemetry/metrics.ts';
import type { Observe } from './handler.ts';

/** Creates the observer that counts them. */
export function observeFailures(metrics: Metrics): Observe {
  return ({ outcome }) => {
    if (outcome === 'internal' || outcome === 'unavailable') metrics.count('Failures', outcome);
  };
}
