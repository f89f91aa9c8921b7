/** What handlers behind an authorizer learn of the member who calls, wherever their kind of API puts it. */
import type { AuthorizerContext } from '../contracts/token.ts';

/** The member who calls. Times are Unix seconds. */
export interface Member {
  readonly userId: string;
  /** AppID of the mini-program that was logged in to. */
  readonly appid: string;
  /** Id of the token. */
  readonly jti: string;
  /** Id of the login, which refreshed tokens share; absent for tokens of before there were such ids. */
  readonly sid?: string;
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

/** What a member's parts are called in the context of our authorizer. */
const contextNames = {
  userId: 'user_id',
  appid: 'appid',
  jti: 'jti',
  sid: 'sid',
  authTime: 'auth_time',
  expiresAt: 'expires_at',
} as const satisfies Record<keyof Member, keyof AuthorizerContext>;

/** The same among the claims of a token. */
const claimNames = {
  userId: 'sub',
  appid: 'client_id',
  jti: 'jti',
  sid: 'sid',
  authTime: 'auth_time',
  expiresAt: 'exp',
} as const;

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
  if (claims !== undefined) return memberIn(claims, claimNames);
  const context = objectIn(authorizer, 'lambda') ?? authorizer ?? objectIn(event.identity, 'resolverContext');
  if (context === undefined)
    throw new TypeError('The event names no authorizer: the route is not protected by one');
  return memberIn(context, contextNames);
}

function memberIn(values: Values, names: Readonly<Record<keyof Member, string>>): Member {
  const sid = values[names.sid];
  return {
    userId: text(values, names.userId),
    appid: text(values, names.appid),
    jti: text(values, names.jti),
    ...(typeof sid === 'string' && sid !== '' && { sid }),
    authTime: seconds(values, names.authTime),
    expiresAt: seconds(values, names.expiresAt),
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
