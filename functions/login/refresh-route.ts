/** `POST /member/refresh`: a new token for the same login, so that a member who keeps coming logs in rarely. */

import { callerOf } from '../caller/caller-of.ts';
import { REFRESHABLE_SECONDS } from '../contracts/token.ts';
import { DomainError } from '../errors/domain-error.ts';
import type { RouteHandler } from '../http/handler.ts';
import type { TokenMinter } from '../tokens/mint.ts';

/** What a refresh answers. */
export interface RefreshResult {
  readonly user_id: string;
  readonly token: string;
  readonly token_type: 'Bearer';
  /** Seconds. */
  readonly expires_in: number;
}

/**
 * Creates the route. The old token stays as it is, so that an answer that is lost and asked for again, or two
 * refreshes at once, log nobody out. Revoked tokens and banned users do not come past the authorizer.
 *
 * The route throws DomainError `unauthorized` when the login is too old, and `unavailable` without a signing key.
 */
export function createRefreshRoute(options: {
  readonly tokens: TokenMinter;
  /** Current Unix time in milliseconds. */
  readonly now: () => number;
}): RouteHandler {
  const { tokens, now } = options;
  return async (event, log): Promise<RefreshResult> => {
    const { user_id: userId, appid, auth_time } = callerOf(event);
    log.user_id = userId;
    const authTime = Number(auth_time);
    if (Math.floor(now() / 1000) - authTime > REFRESHABLE_SECONDS)
      throw new DomainError('unauthorized', { reason: 'the login is too old to be refreshed' });
    const { token, expiresIn } = await tokens.mint({ userId, appid, authTime });
    return { user_id: userId, token, token_type: 'Bearer', expires_in: expiresIn };
  };
}
