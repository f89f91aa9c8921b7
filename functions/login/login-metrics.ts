/** What is measured of a login: how it ended, how long it took, and how WeChat responded. */
import type { ErrorCode } from '../contracts/errors.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { LoginTrace } from './log-in.ts';

/** One login that has ended. */
export interface EndedLogin {
  readonly outcome: 'ok' | ErrorCode;
  /** Whole milliseconds. */
  readonly durationMs: number;
  readonly trace: LoginTrace;
}

/** Is told of every login once, however it ended; it must not throw. */
export type ObserveLogin = (login: EndedLogin) => void;

/** Creates the observer that records the metrics. */
export function measureLogins(metrics: Metrics): ObserveLogin {
  return ({ outcome, durationMs, trace }) => {
    metrics.count('Logins', outcome);
    metrics.record({
      LoginDuration: durationMs,
      WechatDuration: trace.wechat_ms,
      NewUsers: trace.is_new === true ? 1 : undefined,
      RepeatedCodes: trace.code_repeated === true ? 1 : undefined,
      SigningKeyAge: trace.key_age_seconds,
    });
    if (trace.wechat_outcome !== undefined) metrics.count('WechatExchanges', trace.wechat_outcome);
  };
}
