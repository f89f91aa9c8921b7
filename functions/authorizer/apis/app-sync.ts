/** AppSync GraphQL APIs, authorization mode AWS_LAMBDA. */
import type { AppSyncAuthorizerEvent } from 'aws-lambda';
import { tokenFromHeaders } from '../../tokens/bearer.ts';
import { contextOf } from '../decide.ts';
import type { Adapter } from './api.ts';

/** What is read of the event. */
export type AppSyncEvent = Pick<AppSyncAuthorizerEvent, 'authorizationToken'> & {
  readonly requestContext: { readonly apiId: string; readonly requestId?: string };
};

/** How answers are cached. */
export interface AppSyncOptions {
  /** Longest that AppSync keeps a yes, in seconds. */
  readonly cacheTtlSeconds: number;
  /** Current Unix time in milliseconds. */
  readonly now: () => number;
}

/**
 * No is 401 (UnauthorizedException), whatever the reason. A yes is never kept longer than the token lives; a no is
 * not kept at all, because a key this function has not seen yet makes the same token good a moment later.
 */
export function createAppSync({ cacheTtlSeconds, now }: AppSyncOptions): Adapter<AppSyncEvent> {
  return {
    recognizes: (event): event is AppSyncEvent =>
      !('type' in event) && 'authorizationToken' in event && 'requestContext' in event,
    inquiry: (event) => ({
      api: 'appsync',
      requestId: event.requestContext.requestId,
      token: () => tokenFromHeaders({ authorization: event.authorizationToken }),
      answer: (decision) => {
        if (decision.outcome !== 'allow') return { isAuthorized: false, ttlOverride: 0 };
        const secondsLeft = decision.token.expiresAt - Math.ceil(now() / 1000);
        return {
          isAuthorized: true,
          resolverContext: { ...contextOf(decision.token) },
          ttlOverride: Math.max(0, Math.min(cacheTtlSeconds, secondsLeft)),
        };
      },
    }),
  };
}
