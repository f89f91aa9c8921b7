/** Who is calling, as the authorizer found: API Gateway calls us on token routes only with it. */
import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { AuthorizerContext } from '../contracts/token.ts';

const contextKeys = [
  'user_id',
  'appid',
  'jti',
  'auth_time',
  'expires_at',
] as const satisfies readonly (keyof AuthorizerContext)[];

/**
 * The authorizer's context.
 *
 * @throws TypeError naming the member that is missing: the route stands behind no authorizer, or a wrong one
 */
export function callerOf(event: APIGatewayProxyEvent): AuthorizerContext {
  const authorizer: Readonly<Record<string, unknown>> = event.requestContext.authorizer ?? {};
  const entries = contextKeys.map((key) => {
    const value = authorizer[key];
    if (typeof value !== 'string') throw new TypeError(`the authorizer's context lacks ${key}`);
    return [key, value];
  });
  return Object.fromEntries(entries) as AuthorizerContext;
}
