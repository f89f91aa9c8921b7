/** The routes of a logged-in member, and the two that tell an operator that the service works. */
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { DomainError } from '../errors/domain-error.ts';
import type { RouteHandler } from '../http/handler.ts';
import type { RouteKey } from '../http/routes.ts';
import type { AuthorizerContext } from '../tokens/claims.ts';
import type { Users } from '../users/find-or-create.ts';

/** What the member routes need. */
export interface MemberRoutesDependencies {
  readonly users: Pick<Users, 'findUser'>;
  /** Unix seconds at which the key that signs now was made. @throws DomainError `unavailable`. */
  readonly signingKeyCreatedAt: () => Promise<number>;
  /** Version of the service. */
  readonly version: string;
  /** Current Unix time in milliseconds. */
  readonly now: () => number;
}

/** Creates the handlers of `GET /member/me`, `GET /whoami` and `GET /health`. */
export function createMemberRoutes(
  dependencies: MemberRoutesDependencies,
): Partial<Record<RouteKey, RouteHandler>> {
  const { users, signingKeyCreatedAt, version, now } = dependencies;
  return {
    'GET /member/me': async (event, log) => {
      const { user_id: userId } = contextOf(event);
      log.user_id = userId;
      const user = await users.findUser(userId);
      // The token outlives its user when the account was erased.
      if (user === undefined) throw new DomainError('unauthorized', { reason: 'the user is gone' });
      return { user_id: user.userId, username: user.username, avatar: user.avatar, sex: user.sex };
    },
    'GET /whoami': async (event) => contextOf(event),
    'GET /health': async () => ({
      version,
      key_age_seconds: Math.floor(now() / 1000) - (await signingKeyCreatedAt()),
    }),
  };
}

const contextKeys = [
  'user_id',
  'appid',
  'jti',
  'auth_time',
  'expires_at',
] as const satisfies readonly (keyof AuthorizerContext)[];

/** What the authorizer found; API Gateway calls us on these routes only with it. */
function contextOf(event: APIGatewayProxyEvent): AuthorizerContext {
  const authorizer: Readonly<Record<string, unknown>> = event.requestContext.authorizer ?? {};
  const entries = contextKeys.map((key) => {
    const value = authorizer[key];
    if (typeof value !== 'string') throw new TypeError(`the authorizer's context lacks ${key}`);
    return [key, value];
  });
  return Object.fromEntries(entries) as AuthorizerContext;
}
