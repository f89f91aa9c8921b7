/** The routes, once: the stack builds the API from this list and the functions dispatch on it. */

/** One route of the API. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: `/${string}`;
  /** Who may call: anyone, or the bearer of a token (checked by our authorizer). */
  readonly auth: 'none' | 'token';
  /** The function that answers. */
  readonly function: 'login' | 'member';
}

export const routes = [
  { method: 'POST', path: '/member/login', auth: 'none', function: 'login' },
  { method: 'POST', path: '/member/refresh', auth: 'token', function: 'login' },
  { method: 'POST', path: '/member/logout', auth: 'token', function: 'member' },
  { method: 'GET', path: '/member/me', auth: 'token', function: 'member' },
  { method: 'GET', path: '/whoami', auth: 'token', function: 'member' },
  { method: 'GET', path: '/health', auth: 'none', function: 'member' },
] as const satisfies readonly Route[];

/** `"POST /member/login"` and so on: how a route is named in dispatch tables and logs. */
export type RouteKey = (typeof routes)[number] extends infer R
  ? R extends { method: infer M extends string; path: infer P extends string }
    ? `${M} ${P}`
    : never
  : never;
