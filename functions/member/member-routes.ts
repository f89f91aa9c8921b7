/** The routes of a logged-in member, and the two that tell an operator that the service works. */

import { callerOf } from '../caller/caller-of.ts';
import type { RouteKey } from '../contracts/routes.ts';
import { DomainError } from '../errors/domain-error.ts';
import type { RouteHandler } from '../http/handler.ts';
import type { Revocations } from '../tokens/revocations.ts';
import type { Users } from '../users/find-or-create.ts';
import { createLogoutRoute } from './logout-route.ts';

/** What the member routes need. */
export interface MemberRoutesDependencies {
  readonly users: Pick<Users, 'findUser'>;
  readonly revocations: Pick<Revocations, 'revokeToken' | 'revokeAllTokens'>;
  /** Unix seconds at which the key that signs now was made. @throws DomainError `unavailable`. */
  readonly signingKeyCreatedAt: () => Promise<number>;
  /** Version of the service. */
  readonly version: string;
  /** Current Unix time in milliseconds. */
  readonly now: () => number;
}

/** Creates the handlers of the routes that name the member function. */
export function createMemberRoutes(
  dependencies: MemberRoutesDependencies,
): Partial<Record<RouteKey, RouteHandler>> {
  const { users, revocations, signingKeyCreatedAt, version, now } = dependencies;
  return {
    'POST /member/logout': createLogoutRoute(revocations),
    'GET /member/me': async (event, log) => {
      const { user_id: userId } = callerOf(event);
      log.user_id = userId;
      const user = await users.findUser(userId);
      // The token outlives its user when the account was erased.
      if (user === undefined) throw new DomainError('unauthorized', { reason: 'the user is gone' });
      return { user_id: user.userId, username: user.username, avatar: user.avatar, sex: user.sex };
    },
    'GET /whoami': async (event) => callerOf(event),
    'GET /health': async () => ({
      version,
      key_age_seconds: Math.floor(now() / 1000) - (await signingKeyCreatedAt()),
    }),
  };
}
