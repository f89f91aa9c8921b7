/** `POST /member/refresh`: a new token for the same login, so that a member who keeps coming logs in rarely. */
import { callerOf } from '../caller/context.ts';
import { type Clock, unixSeconds } from '../contracts/clock.ts';
import { loginIdOf, REFRESHABLE_SECONDS } from '../contracts/token.ts';
import { DomainError } from '../errors/domain-error.ts';
import type { RouteHandler } from '../http/handler.ts';
import type { TokenMinter } from '../tokens/mint.ts';

/**
 * Creates the route. The old token stays as it is, so that a lost response, or two refreshes at once, log nobody out.
 * The authorizer has denied revoked tokens and banned users before.
 *
 * The route throws DomainError `unauthorized` when the login is too old, `forbidden` when its mini-program is no longer
 * served (a new login would not help), and `unavailable` without a signing key.
 */
export function createRefreshRoute(options: {
  readonly tokens: TokenMinter;
  /** The mini-programs that are served. */
  readonly appids: readonly string[];
  readonly now: Clock;
}): RouteHandler<'POST /member/refresh'> {
  const { tokens, appids, now } = options;
  return async (event, line) => {
    const caller = callerOf(event);
    const { user_id: userId, appid, auth_time } = caller;
    line.user_id = userId;
    if (!appids.includes(appid))
      throw new DomainError('forbidden', { reason: 'the mini-program is no longer served' });
    const authTime = Number(auth_time);
    if (unixSeconds(now) - authTime > REFRESHABLE_SECONDS)
      throw new DomainError('unauthorized', { reason: 'the login is too old to be refreshed' });
    const { token, expiresIn } = await tokens.mint({ userId, appid, sid: loginIdOf(caller), authTime });
    return { user_id: userId, token, token_type: 'Bearer', expires_in: expiresIn };
  };
}
