/** The routes, once: the stack builds the API from this list and the functions dispatch on it. */
import { JWKS_PATH } from './token.ts';

interface RouteAddress {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: `/${string}`;
}

/** A route that one of our functions serves. */
export interface FunctionRoute extends RouteAddress {
  /** Who may call: anyone, a member with a token (checked by our authorizer), or WeChat (checked by the function). */
  readonly auth: 'none' | 'token' | 'wechat';
  /** The function that serves it. */
  readonly function: 'login' | 'member' | 'account';
}

/** A public document that API Gateway serves itself; standards fix its form, so it is not in the envelope. */
export interface DocumentRoute extends RouteAddress {
  readonly method: 'GET';
  readonly auth: 'none';
  readonly document: 'discovery' | 'jwks';
}

/** One route of the API. */
export type Route = FunctionRoute | DocumentRoute;

/** Path of the route that strangers have WeChat called with; it is limited more than the others. */
export const LOGIN_PATH = '/member/login';

export const routes = [
  { method: 'POST', path: LOGIN_PATH, auth: 'none', function: 'login' },
  { method: 'POST', path: '/member/refresh', auth: 'token', function: 'login' },
  { method: 'POST', path: '/member/logout', auth: 'token', function: 'member' },
  { method: 'GET', path: '/member/me', auth: 'token', function: 'member' },
  { method: 'PUT', path: '/member/me', auth: 'token', function: 'account' },
  { method: 'DELETE', path: '/member/me', auth: 'token', function: 'account' },
  { method: 'POST', path: '/member/phone', auth: 'token', function: 'account' },
  { method: 'DELETE', path: '/member/phone', auth: 'token', function: 'account' },
  { method: 'GET', path: '/wechat/events/{appid}', auth: 'wechat', function: 'account' },
  { method: 'POST', path: '/wechat/events/{appid}', auth: 'wechat', function: 'account' },
  { method: 'GET', path: '/whoami', auth: 'token', function: 'member' },
  { method: 'GET', path: '/health', auth: 'none', function: 'member' },
  { method: 'GET', path: '/.well-known/openid-configuration', auth: 'none', document: 'discovery' },
  { method: 'GET', path: JWKS_PATH, auth: 'none', document: 'jwks' },
] as const satisfies readonly Route[];

/** `"POST /member/login"` and so on: how a function's route is named in dispatch tables and logs. */
export type RouteKey = (typeof routes)[number] extends infer R
  ? R extends { method: infer M extends string; path: infer P extends string; function: string }
    ? `${M} ${P}`
    : never
  : never;

/** A method with those that come with it: whatever can be read can be probed (RFC 9110, 9.3.2). */
export const withHead = (method: Route['method']): readonly string[] =>
  method === 'GET' ? ['GET', 'HEAD'] : [method];

/** Path of a document, below the issuer. */
export function documentPath(document: DocumentRoute['document']): string {
  const route = (routes as readonly Route[]).find(
    (candidate) => 'document' in candidate && candidate.document === document,
  );
  if (route === undefined) throw new TypeError(`No route serves the document ${document}`);
  return route.path;
}
