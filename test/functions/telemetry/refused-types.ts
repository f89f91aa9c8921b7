/**
 * What the types must refuse. Nothing here runs: the compiler fails on every line below that it accepts
 * (`@ts-expect-error` without an error is one).
 */
import type { Metrics } from '../../../functions/telemetry/metrics.ts';

/** Compiles only as long as each marked line does not. */
export function refused(given: Metrics, word: string): void {
  // @ts-expect-error What is told apart needs to be told.
  given.count('Logins');

  // @ts-expect-error A metric without a dimension cannot be given one.
  given.count('LoginDuration', 'ok');

  // @ts-expect-error A metric with a dimension is not recorded without it.
  given.record({ Logins: 1 });

  // @ts-expect-error A text from anywhere is no dimension.
  given.count('TokenRefusals', word);

  // @ts-expect-error The words of one metric are none of another's.
  given.count('WechatExchanges', 'internal');
}
