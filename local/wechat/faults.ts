/** The faults of WeChat that can be switched on, as they look on the wire. */
import type { ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { readMembers } from './control-request.ts';
import type { ErrorResponse, WechatJson } from './error-responses.ts';
import { type MediaType, sendResponse, sendText } from './send.ts';

/** The routes that a fault can be switched on for. */
export const routeNames = ['jscode2session', 'stable_token', 'getuserphonenumber', 'msg_sec_check'] as const;

export type RouteName = (typeof routeNames)[number];

/** The faults that can be switched on. All but the first three consume the code before they show. */
export const faultNames = [
  'errcode',
  'ip_not_whitelisted',
  'secret_frozen',
  'errcode_zero',
  'legacy_expires_in',
  'no_openid',
  'no_session_key',
  'openid_number',
  'loose_types',
  'array_body',
  'not_json',
  'empty',
  'truncated',
  'oversized',
  'http_502_html',
  'delay',
  'hang',
  'reset_mid_body',
  'slow_drip',
] as const;

/** A fault that replaces the plain response. */
export interface Fault {
  readonly fault: (typeof faultNames)[number];
  /** The route that it affects. Default: jscode2session. */
  readonly route?: RouteName;
  /** Affects this code alone. Default: every code. */
  readonly code?: string;
  /** Affects this user alone. Default: every user. */
  readonly openid?: string;
  /** How many calls it affects. Default: all until it is cleared. */
  readonly times?: number;
  /** For `errcode`: the number. Default: -1. */
  readonly errcode?: number;
  /** For `errcode`: the text. Default: WeChat's for that number. */
  readonly errmsg?: string;
  /** For `errcode`: the number as a string. Default: false. */
  readonly asString?: boolean;
  /** For `errcode`: the code is consumed all the same, as a busy WeChat may do. Default: false. */
  readonly consumes?: boolean;
  /** For `delay`: milliseconds before the response, default 1000. For `slow_drip`: between two bytes, default 50. */
  readonly delayMs?: number;
}

/** Faults that WeChat raises before it looks at the code. */
export function isRefusal({ fault }: Fault): boolean {
  return fault === 'errcode' || fault === 'ip_not_whitelisted' || fault === 'secret_frozen';
}

export function refusalOf(
  { fault, errcode = -1, errmsg, asString = false }: Fault,
  errorResponse: ErrorResponse,
): WechatJson {
  if (fault === 'ip_not_whitelisted') return errorResponse(40164);
  if (fault === 'secret_frozen') return errorResponse(40243);
  const json = errorResponse(errcode, errmsg);
  return asString ? { ...json, errcode: String(errcode) } : json;
}

/** Sends a response with the fault. */
export async function sendFaulty(
  response: ServerResponse,
  json: WechatJson,
  { fault, delayMs }: Fault,
  type: MediaType,
): Promise<void> {
  const { openid, session_key, ...rest } = json;
  const body = JSON.stringify(json);
  const head = { 'content-type': type, 'content-length': Buffer.byteLength(body) };
  switch (fault) {
    case 'errcode_zero':
      return sendResponse(response, { ...json, errcode: 0, errmsg: 'ok' }, type);
    case 'legacy_expires_in':
      return sendResponse(response, { ...json, expires_in: 7200 }, type);
    case 'no_openid':
      return sendResponse(response, { session_key, ...rest }, type);
    case 'no_session_key':
      return sendResponse(response, { openid, ...rest }, type);
    case 'openid_number':
      return sendResponse(response, { ...json, openid: 12_345 }, type);
    case 'loose_types':
      return sendResponse(response, loosened(json), type);
    case 'array_body':
      return sendResponse(response, [json], type);
    case 'not_json':
      return sendText(response, 200, '<html>系统维护中</html>', 'text/html');
    case 'empty':
      return sendText(response, 200, '', type);
    case 'truncated':
      return sendText(response, 200, body.slice(0, body.length / 2), type);
    case 'oversized':
      return sendResponse(response, { ...json, padding: ' '.repeat(1024 * 1024) }, type);
    case 'http_502_html':
      return sendText(response, 502, '<html><h1>502 Bad Gateway</h1></html>', 'text/html');
    case 'delay':
      await pause(delayMs ?? 1_000);
      return sendResponse(response, json, type);
    case 'hang':
      return;
    case 'reset_mid_body':
      response.writeHead(200, head).write(body.slice(0, body.length / 2));
      // Let the first half leave, then reset instead of closing.
      await pause(20);
      response.socket?.resetAndDestroy();
      return;
    case 'slow_drip':
      response.writeHead(200, head);
      for (const character of body) {
        if (response.destroyed) return;
        response.write(character);
        await pause(delayMs ?? 50);
      }
      response.end();
  }
}

/** Reads the body of a request that switches a fault on. @throws Error naming what is wrong with it */
export function readFault(body: Record<string, unknown>): Fault {
  const members = readMembers(body, {
    fault: 'string',
    route: 'string',
    code: 'string',
    openid: 'string',
    times: 'number',
    errcode: 'number',
    errmsg: 'string',
    asString: 'boolean',
    consumes: 'boolean',
    delayMs: 'number',
  });
  const fault = faultNames.find((name) => name === body.fault);
  if (fault === undefined) throw new Error(`fault must be one of: ${faultNames.join(', ')}`);
  const route = routeNames.find((name) => name === (body.route ?? 'jscode2session'));
  if (route === undefined) throw new Error(`route must be one of: ${routeNames.join(', ')}`);
  if (body.times !== undefined && !(Number.isInteger(body.times) && Number(body.times) > 0))
    throw new Error('times must be a whole number from 1 up');
  return { ...members, fault, route };
}

/** Numbers as strings and digits as numbers: WeChat's pages and its responses differ in both directions. */
function loosened(value: unknown): unknown {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string' && /^[1-9]\d{0,14}$/.test(value)) return Number(value);
  if (Array.isArray(value)) return value.map(loosened);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, loosened(member)]));
}
