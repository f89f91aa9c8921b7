/** What is measured of a login: how it ended, how long it took, and how WeChat answered. */

import type { RouteKey } from '../contracts/routes.ts';
import type { Observe } from '../http/handler.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { LoginTrace } from './log-in.ts';

const LOGIN: RouteKey = 'POST /member/login';

/** Creates the observer that records it; other routes are none of its business. */
export function observeLogins(metrics: Metrics): Observe {
  return ({ route, outcome, durationMs, trace }) => {
    if (route !== LOGIN) return;
    const { wechat_outcome, wechat_ms, is_new, key_age_seconds } = trace as LoginTrace;
    metrics.count('Logins', outcome);
    metrics.record({
      LoginDuration: durationMs,
      WechatDuration: wechat_ms,
      NewUsers: is_new === true ? 1 : undefined,
      SigningKeyAge: key_age_seconds,
    });
    if (wechat_outcome !== undefined) metrics.count('WechatExchanges', wechat_outcome);
  };
}
