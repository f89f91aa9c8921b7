/**
 * The contract of each route, once: the stack builds the API from this list, the functions dispatch on it and are typed
 * by it, and docs/openapi.json and the client's types are made of it.
 */
import * as v from 'valibot';
import type { ErrorCode } from './errors.ts';
import { loginRequest } from './http/login-request.ts';
import { logoutRequest } from './http/logout-request.ts';
import { phoneRequest } from './http/phone-request.ts';
import { profileChanges } from './http/profile-changes.ts';
import { type RequestRule, ruleEntry } from './http/request-rules.ts';
import {
  callerContext,
  deletionResult,
  discoveryDocument,
  health,
  jwkSet,
  loginResult,
  memberProfile,
  nothing,
  refreshResult,
} from './http/responses.ts';
import { JWKS_PATH } from './token.ts';

interface RouteEntry {
  /** Unique; what generated clients call it. */
  readonly operationId: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: `/${string}`;
  /** What the body holds. Default: no body is read. */
  readonly request?: v.GenericSchema;
  /** Of a 200: the envelope's `data`, or a whole body that is in no envelope. */
  readonly response: v.GenericSchema;
  /** Which rules a request may break. Default: none. */
  readonly rules?: readonly RequestRule[];
  /** Which errors it ends in besides those of its rules, {@link tokenErrors}, and {@link errorsAnywhere}. */
  readonly errors: readonly ErrorCode[];
}

/** A route that one of our functions serves. */
export interface FunctionRoute extends RouteEntry {
  /** Who may call: anyone, a member with a token (checked by our authorizer), or WeChat (checked by the function). */
  readonly auth: 'none' | 'token' | 'wechat';
  /** The function that serves it. */
  readonly function: 'login' | 'member' | 'account';
}

/** A public document that API Gateway serves itself; standards fix its form, so it is not in the envelope. */
export interface DocumentRoute extends RouteEntry {
  readonly method: 'GET';
  readonly auth: 'none';
  readonly document: 'discovery' | 'jwks';
  /** How long a cache may keep it, in seconds. */
  readonly maxAgeSeconds: number;
}

/** One route of the API. */
export type Route = FunctionRoute | DocumentRoute;

/** How the authorizer refuses or denies a token; API Gateway sends it. */
export const tokenErrors = ['unauthorized', 'token_revoked', 'user_banned'] as const;

/**
 * What any route may end in: API Gateway cannot read the request, its web ACL blocks it, it is too large or one too many,
 * or something of ours fails.
 */
export const errorsAnywhere = [
  'invalid_request',
  'forbidden',
  'payload_too_large',
  'rate_limited',
  'internal',
  'unavailable',
] as const;

/** How a request ends that is for no route: its path or its method is unknown. */
export const errorsOfNoRoute = ['not_found', 'method_not_allowed'] as const;

const bodyRules = [
  'body_size',
  'charset',
  'media_type',
  'utf8',
  'json',
  'json_object',
  'field_once',
] as const;
const codeRules = ['code', 'code_text', 'code_characters'] as const;
const wechatErrors = ['rate_limited', 'wechat_unavailable', 'wechat_misconfigured'] as const;

/** Path of the route that strangers have WeChat called with; it is limited more than the others. */
export const LOGIN_PATH = '/member/login';

export const routes = [
  {
    operationId: 'logIn',
    method: 'POST',
    path: LOGIN_PATH,
    auth: 'none',
    function: 'login',
    request: loginRequest,
    response: loginResult,
    rules: [...bodyRules, ...codeRules, 'code_not_mock', 'appid', 'referer', 'restore'],
    errors: [...wechatErrors, 'invalid_code', 'code_used', 'login_blocked', 'user_banned', 'account_closing'],
  },
  {
    operationId: 'refreshToken',
    method: 'POST',
    path: '/member/refresh',
    auth: 'token',
    function: 'login',
    response: refreshResult,
    errors: ['forbidden'],
  },
  {
    operationId: 'logOut',
    method: 'POST',
    path: '/member/logout',
    auth: 'token',
    function: 'member',
    request: logoutRequest,
    response: nothing,
    rules: [...bodyRules, 'all'],
    errors: [],
  },
  {
    operationId: 'getProfile',
    method: 'GET',
    path: '/member/me',
    auth: 'token',
    function: 'member',
    response: memberProfile,
    errors: [],
  },
  {
    operationId: 'changeProfile',
    method: 'PUT',
    path: '/member/me',
    auth: 'token',
    function: 'account',
    request: profileChanges,
    response: memberProfile,
    rules: [...bodyRules, 'nickname', 'sex', 'avatar', 'profile_named'],
    errors: [...wechatErrors, 'content_rejected'],
  },
  {
    operationId: 'deleteAccount',
    method: 'DELETE',
    path: '/member/me',
    auth: 'token',
    function: 'account',
    response: deletionResult,
    errors: [],
  },
  {
    operationId: 'bindPhone',
    method: 'POST',
    path: '/member/phone',
    auth: 'token',
    function: 'account',
    request: phoneRequest,
    response: memberProfile,
    rules: [...bodyRules, ...codeRules],
    errors: [...wechatErrors, 'phone_code_invalid'],
  },
  {
    operationId: 'unbindPhone',
    method: 'DELETE',
    path: '/member/phone',
    auth: 'token',
    function: 'account',
    response: memberProfile,
    errors: [],
  },
  {
    operationId: 'verifyEventsUrl',
    method: 'GET',
    path: '/wechat/events/{appid}',
    auth: 'wechat',
    function: 'account',
    response: v.string(),
    errors: ['unauthorized'],
  },
  {
    operationId: 'receiveEvent',
    method: 'POST',
    path: '/wechat/events/{appid}',
    auth: 'wechat',
    function: 'account',
    response: v.pipe(v.string(), v.metadata({ const: 'success' })),
    errors: ['unauthorized', 'payload_too_large'],
  },
  {
    operationId: 'whoAmI',
    method: 'GET',
    path: '/whoami',
    auth: 'token',
    function: 'member',
    response: callerContext,
    errors: [],
  },
  {
    operationId: 'getHealth',
    method: 'GET',
    path: '/health',
    auth: 'none',
    function: 'member',
    response: health,
    errors: [],
  },
  {
    operationId: 'getDiscoveryDocument',
    method: 'GET',
    path: '/.well-known/openid-configuration',
    auth: 'none',
    document: 'discovery',
    maxAgeSeconds: 3600,
    response: discoveryDocument,
    errors: ['unsupported_media_type'],
  },
  {
    operationId: 'getJwkSet',
    method: 'GET',
    path: JWKS_PATH,
    auth: 'none',
    document: 'jwks',
    // Short, because a key that is dropped in an emergency lives on in every cache between us and a verifier; new keys are
    // public for hours before they sign, so no cache is ever too old for those.
    maxAgeSeconds: 300,
    response: jwkSet,
    errors: ['unsupported_media_type'],
  },
] as const satisfies readonly Route[];

type Served = Extract<(typeof routes)[number], { function: string }>;

/** `"POST /member/login"` and so on: how a function's route is named in dispatch tables and logs. */
export type RouteKey = Served extends infer R
  ? R extends { method: infer M extends string; path: infer P extends string }
    ? `${M} ${P}`
    : never
  : never;

/** What a function's route resolves to: the envelope's `data`, or a plain text without envelope. */
export type ResponseOf<K extends RouteKey> = K extends `${infer M} ${infer P}`
  ? v.InferOutput<Extract<Served, { method: M; path: P }>['response']>
  : never;

/** The errors that are a route's own: every one but {@link errorsAnywhere}, unless it has a reason of its own for it. */
export function errorsOf({ auth, rules = [], errors }: Route): readonly ErrorCode[] {
  const own = [...rules.map((rule) => ruleEntry(rule).error), ...errors];
  return [...new Set(auth === 'token' ? [...tokenErrors, ...own] : own)];
}

/** A method with those that come with it: whatever can be read can be probed (RFC 9110, 9.3.2). */
export const withHead = (method: Route['method']): readonly string[] =>
  method === 'GET' ? ['GET', 'HEAD'] : [method];

/** The route of a document. */
export function documentRoute(document: DocumentRoute['document']): DocumentRoute {
  const route = (routes as readonly Route[])
    .filter((candidate) => 'document' in candidate)
    .find((candidate) => candidate.document === document);
  if (route === undefined) throw new TypeError(`No route serves the document ${document}`);
  return route;
}

/** Path of a document, below the issuer. */
export const documentPath = (document: DocumentRoute['document']): string => documentRoute(document).path;
