/** The faults of WeChat that can be switched on, as they look on the wire. */
import type { ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { WechatAnswer } from './accounts.ts';
import { readMembers } from './control-request.ts';
import { sendAnswer, sendText } from './send.ts';

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

/** A fault that replaces the plain answer. */
export interface Fault {
  readonly fault: (typeof faultNames)[number];
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
  /** For `delay`: milliseconds before the answer, default 1000. For `slow_drip`: between two bytes, default 50. */
  readonly delayMs?: number;
}

/** Faults that WeChat raises before it looks at the code. */
export function isRefusal({ fault }: Fault): boolean {
  return fault === 'errcode' || fault === 'ip_not_whitelisted' || fault === 'secret_frozen';
}

export function refusalOf(
  { fault, errcode = -1, errmsg, asString = false }: Fault,
  errorAnswer: (errcode: number, errmsg?: string) => WechatAnswer,
): WechatAnswer {
  if (fault === 'ip_not_whitelisted') return errorAnswer(40164);
  if (fault === 'secret_frozen') return errorAnswer(40243);
  const answer = errorAnswer(errcode, errmsg);
  return asString ? { ...answer, errcode: String(errcode) } : answer;
}

/** Sends an answer with the fault. */
export async function sendFaulty(
  response: ServerResponse,
  answer: WechatAnswer,
  { fault, delayMs }: Fault,
): Promise<void> {
  const { openid, session_key, ...rest } = answer;
  const body = JSON.stringify(answer);
  const head = { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(body) };
  switch (fault) {
    case 'errcode_zero':
      return sendAnswer(response, { ...answer, errcode: 0, errmsg: 'ok' });
    case 'legacy_expires_in':
      return sendAnswer(response, { ...answer, expires_in: 7200 });
    case 'no_openid':
      return sendAnswer(response, { session_key, ...rest });
    case 'no_session_key':
      return sendAnswer(response, { openid, ...rest });
    case 'openid_number':
      return sendAnswer(response, { ...answer, openid: 12_345 });
    case 'array_body':
      return sendAnswer(response, [answer]);
    case 'not_json':
      return sendText(response, 200, '<html>系统维护中</html>', 'text/html');
    case 'empty':
      return sendText(response, 200, '', 'text/plain');
    case 'truncated':
      return sendText(response, 200, body.slice(0, body.length / 2), 'text/plain');
    case 'oversized':
      return sendAnswer(response, { ...answer, padding: ' '.repeat(1024 * 1024) });
    case 'http_502_html':
      return sendText(response, 502, '<html><h1>502 Bad Gateway</h1></html>', 'text/html');
    case 'delay':
      await pause(delayMs ?? 1_000);
      return sendAnswer(response, answer);
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
    times: 'number',
    errcode: 'number',
    errmsg: 'string',
    asString: 'boolean',
    consumes: 'boolean',
    delayMs: 'number',
  });
  const fault = faultNames.find((name) => name === body.fault);
  if (fault === undefined) throw new Error(`fault must be one of: ${faultNames.join(', ')}`);
  return { ...members, fault };
}
