/** The authorizer's context from both sides: what an authorizer writes about a token, and what a route of ours reads. */
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { type AuthorizerContext, contextKeys, type VerifiedToken } from '../contracts/token.ts';

/** What an authorizer tells the back end about an allowed token. */
export function contextOf(token: VerifiedToken): AuthorizerContext {
  return {
    user_id: token.userId,
    appid: token.appid,
    jti: token.jti,
    ...(token.sid !== undefined && { sid: token.sid }),
    auth_time: String(token.authTime),
    expires_at: String(token.expiresAt),
  };
}

/**
 * Who calls a route: API Gateway passes a request on to a token route only with the authorizer's context.
 *
 * @throws TypeError naming the key that is missing: the route stands behind no authorizer, or a wrong one
 */
export function callerOf(event: APIGatewayProxyEvent): AuthorizerContext {
  const authorizer: Readonly<Record<string, unknown>> = event.requestContext.authorizer ?? {};
  const entries = contextKeys.map((key) => {
    const value = authorizer[key];
    if (typeof value !== 'string') throw new TypeError(`the authorizer's context lacks ${key}`);
    return [key, value];
  });
  const { sid } = authorizer;
  return Object.fromEntries(
    typeof sid === 'string' ? [...entries, ['sid', sid]] : entries,
  ) as AuthorizerContext;
}
