/** AppSync GraphQL APIs, authorization mode AWS_LAMBDA. */
import type { AppSyncAuthorizerEvent } from 'aws-lambda';
import { contextOf } from '../../caller/context.ts';
import type { Clock } from '../../contracts/clock.ts';
import { tokenFromCredentials } from '../../tokens/bearer.ts';
import type { ReadEvent } from './api.ts';

/** What is read of the event. */
type AppSyncEvent = Pick<AppSyncAuthorizerEvent, 'authorizationToken'> & {
  readonly requestContext: { readonly apiId: string; readonly requestId?: string };
};

interface AppSyncOptions {
  /** Longest that AppSync keeps an `allow`, in seconds. */
  readonly cacheTtlSeconds: number;
  readonly now: Clock;
}

/**
 * Refused and denied are both 401 (UnauthorizedException). An `allow` is never kept longer than the token lives; the
 * others are not kept at all, because a key this function has not seen yet makes the same token good a moment later.
 */
export function createAppSync({ cacheTtlSeconds, now }: AppSyncOptions): ReadEvent {
  return (event) =>
    isAppSync(event)
      ? {
          api: 'appsync',
          requestId: event.requestContext.requestId,
          token: () => tokenFromCredentials(event.authorizationToken),
          respond: (decision) => {
            if (decision.kind !== 'allow') return { isAuthorized: false, ttlOverride: 0 };
            const secondsLeft = decision.token.expiresAt - Math.ceil(now() / 1000);
            return {
              isAuthorized: true,
              resolverContext: { ...contextOf(decision.token) },
              ttlOverride: Math.max(0, Math.min(cacheTtlSeconds, secondsLeft)),
            };
          },
        }
      : undefined;
}

function isAppSync(event: object): event is AppSyncEvent {
  return !('type' in event) && 'authorizationToken' in event && 'requestContext' in event;
}
