/** What handlers behind an authorizer learn of the member who calls, wherever their kind of API puts it. */
import type { AuthorizerContext } from '../contracts/token.ts';

/** The member who calls. Times are Unix seconds. */
export interface Member {
  readonly userId: string;
  /** AppID of the mini-program that was logged in to. */
  readonly appid: string;
  /** Id of the token. */
  readonly jti: string;
  /** When the member logged in with WeChat. */
  readonly authTime: number;
  /** When the token ends. */
  readonly expiresAt: number;
}

/** An event of a REST, HTTP or WebSocket API, or of AppSync, as far as it matters here: each has one of the two. */
export interface ProtectedEvent {
  readonly requestContext?: { readonly authorizer?: object | null | undefined };
  readonly identity?: object | null | undefined;
}

type Values = Readonly<Record<string, unknown>>;

/**
 * Reads the member from the event of a route that is protected by our authorizer, or by an HTTP API's JWT authorizer
 * on our issuer.
 *
 * @throws TypeError when there is none: the route is not protected, or by another authorizer
 */
export function memberOf(event: ProtectedEvent): Member {
  const authorizer: Values | undefined = objectIn(event.requestContext, 'authorizer');
  const claims = objectIn(objectIn(authorizer, 'jwt'), 'claims') ?? objectIn(authorizer, 'claims');
  // Cognito's access tokens have claims of the same names; this one they have and ours have not.
  if (claims !== undefined && Object.hasOwn(claims, 'token_use'))
    throw new TypeError('The claims are those of Cognito: the route is protected by another authorizer');
  if (claims !== undefined)
    return {
      userId: text(claims, 'sub'),
      appid: text(claims, 'client_id'),
      jti: text(claims, 'jti'),
      authTime: seconds(claims, 'auth_time'),
      expiresAt: seconds(claims, 'exp'),
    };
  const context = objectIn(authorizer, 'lambda') ?? authorizer ?? objectIn(event.identity, 'resolverContext');
  if (context === undefined)
    throw new TypeError('The event names no authorizer: the route is not protected by one');
  const key = (name: keyof AuthorizerContext) => name;
  return {
    userId: text(context, key('user_id')),
    appid: text(context, key('appid')),
    jti: text(context, key('jti')),
    authTime: seconds(context, key('auth_time')),
    expiresAt: seconds(context, key('expires_at')),
  };
}

function objectIn(parent: object | null | undefined, name: string): Values | undefined {
  const value = (parent as Values | null | undefined)?.[name];
  return typeof value === 'object' && value !== null ? (value as Values) : undefined;
}

function text(values: Values, name: string): string {
  const value = values[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new TypeError(`The authorizer's context lacks ${name}: the route is protected by another authorizer`);
}

/** Numbers arrive as text, which some API types write as `1.7E9`. */
function seconds(values: Values, name: string): number {
  const value = values[name];
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
  throw new TypeError(`The authorizer's context has no time in ${name}`);
}
