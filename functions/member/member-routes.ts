/** The routes of a logged-in member, and the two that tell an operator that the service works. */
import { callerOf } from '../caller/context.ts';
import { type Clock, unixSeconds } from '../contracts/clock.ts';
import type { RouteHandlers } from '../http/handler.ts';
import type { Revocations } from '../tokens/revocations.ts';
import type { Users } from '../users/find-or-create.ts';
import { createLogoutRoute } from './logout-route.ts';
import { profileOf } from './profile.ts';

interface MemberRoutesOptions {
  readonly users: Pick<Users, 'findUser'>;
  readonly revocations: Pick<Revocations, 'endLogin' | 'revokeAllTokens'>;
  /** Unix seconds at which the key that signs now was made. @throws DomainError `unavailable`. */
  readonly signingKeyCreatedAt: () => Promise<number>;
  /** Version of the service. */
  readonly version: string;
  readonly now: Clock;
}

/** Creates the handlers of the routes that name the member function. */
export function createMemberRoutes(options: MemberRoutesOptions): RouteHandlers {
  const { users, revocations, signingKeyCreatedAt, version, now } = options;
  return {
    'POST /member/logout': createLogoutRoute(revocations),
    'GET /member/me': async (event, line) => {
      const { user_id: userId } = callerOf(event);
      line.user_id = userId;
      return profileOf(await users.findUser(userId));
    },
    'GET /whoami': async (event) => callerOf(event),
    'GET /health': async () => ({
      version,
      key_age_seconds: unixSeconds(now) - (await signingKeyCreatedAt()),
    }),
  };
}
