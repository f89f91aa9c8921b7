/**
 * A stand-in for WeChat's server API over real HTTP, with its habits and its faults, so that the local run and the
 * tests meet what production meets. It logs nothing.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { type CodeOwner, createWechatAccounts, type WechatAnswer } from './accounts.ts';

/** How a {@link WechatSimulator} starts. */
export interface WechatSimulatorOptions {
  /** AppSecret by appid. */
  readonly apps: Readonly<Record<string, string>>;
  /** Port on 127.0.0.1. Default: a free one. */
  readonly port?: number;
  /** Milliseconds before every answer. Default: 0. */
  readonly delayMs?: number;
  /** Calls of one user within a minute before errcode 45011; WeChat once documented 100. Default: no limit. */
  readonly userMinuteLimit?: number;
  /** Unix time in milliseconds. Default: `Date.now`. */
  readonly now?: () => number;
}

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

/** A fault to be shown instead of the plain answer. */
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

/** What reached `jscode2session`. */
export interface CallCounts {
  readonly count: number;
  /** TCP connections that were opened for anything. */
  readonly connections: number;
}

/** A running simulator; everything but `close` is also there over HTTP, under `/__sim/`. */
export interface WechatSimulator {
  /** Base URL without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** `POST /__sim/codes`. */
  issueCode(owner?: CodeOwner): string;
  /** `POST /__sim/faults`; replaces the fault before. */
  setFault(fault: Fault): void;
  /** `DELETE /__sim/faults`. */
  clearFaults(): void;
  /** `GET /__sim/calls`. */
  calls(): CallCounts;
  /** Ends it, also in the middle of answers. */
  close(): Promise<void>;
}

/**
 * Starts a simulator on 127.0.0.1.
 *
 * @throws Error of the listening socket, such as `EADDRINUSE`.
 */
export async function startWechatSimulator(options: WechatSimulatorOptions): Promise<WechatSimulator> {
  const { apps, port = 0, delayMs = 0, userMinuteLimit = Number.POSITIVE_INFINITY, now = Date.now } = options;
  const accounts = createWechatAccounts({ apps, now, userMinuteLimit });
  let fault: Fault | undefined;
  let faultCallsLeft = 0;
  let count = 0;
  let connections = 0;

  const control = {
    issueCode: (owner: CodeOwner = {}) => accounts.issueCode(owner),
    setFault(next: Fault) {
      fault = next;
      faultCallsLeft = next.times ?? Number.POSITIVE_INFINITY;
    },
    clearFaults() {
      fault = undefined;
    },
    calls: (): CallCounts => ({ count, connections }),
  };

  const takeFault = (): Fault | undefined => {
    if (fault === undefined || faultCallsLeft <= 0) return undefined;
    faultCallsLeft -= 1;
    return fault;
  };

  const jscode2session = async (query: URLSearchParams, response: ServerResponse) => {
    count += 1;
    const current = takeFault();
    if (current !== undefined && isRefusal(current)) {
      if (current.consumes === true) accounts.code2Session(query);
      if (delayMs > 0) await pause(delayMs);
      return sendAnswer(response, refusal(current, accounts.errorAnswer));
    }
    const answer = accounts.code2Session(query);
    // A timer of 0 ms takes a whole one.
    if (delayMs > 0) await pause(delayMs);
    return current === undefined ? sendAnswer(response, answer) : sendFaulty(response, answer, current);
  };

  const answerRequest = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams } = new URL(`http://wechat${request.url}`);
    if (pathname === '/sns/jscode2session') return jscode2session(searchParams, response);
    switch (`${request.method} ${pathname}`) {
      case 'POST /__sim/codes':
        return sendJson(response, 200, { code: control.issueCode(readCodeOwner(await readJson(request))) });
      case 'POST /__sim/faults':
        control.setFault(readFault(await readJson(request)));
        return sendJson(response, 200, {});
      case 'DELETE /__sim/faults':
        control.clearFaults();
        return sendJson(response, 200, {});
      case 'GET /__sim/calls':
        return sendJson(response, 200, control.calls());
      default:
        return sendJson(response, 404, { error: 'no such path' });
    }
  };

  const server = createServer((request, response) => {
    answerRequest(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else sendJson(response, 400, { error: error instanceof Error ? error.message : 'bad request' });
    });
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  const { port: boundPort } = server.address() as AddressInfo;

  return {
    ...control,
    url: `http://127.0.0.1:${boundPort}`,
    port: boundPort,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Faults that WeChat raises before it looks at the code. */
function isRefusal({ fault }: Fault): boolean {
  return fault === 'errcode' || fault === 'ip_not_whitelisted' || fault === 'secret_frozen';
}

function refusal(
  { fault, errcode = -1, errmsg, asString = false }: Fault,
  errorAnswer: (errcode: number, errmsg?: string) => WechatAnswer,
): WechatAnswer {
  if (fault === 'ip_not_whitelisted') return errorAnswer(40164);
  if (fault === 'secret_frozen') return errorAnswer(40243);
  const answer = errorAnswer(errcode, errmsg);
  return asString ? { ...answer, errcode: String(errcode) } : answer;
}

/** As WeChat does: HTTP 200 and `text/plain` for JSON, for errors too. */
function sendAnswer(response: ServerResponse, answer: unknown): void {
  sendText(response, 200, JSON.stringify(answer), 'text/plain');
}

function sendText(response: ServerResponse, status: number, body: string, contentType: string): void {
  response
    .writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) })
    .end(body);
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  sendText(response, status, JSON.stringify(body), 'application/json');
}

async function sendFaulty(
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

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const body: unknown = JSON.parse((await text(request)) || '{}');
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new Error('send a JSON object');
  return { ...body };
}

type MemberType = 'string' | 'number' | 'boolean';

/** Takes the known members of a control request and refuses the rest, so that a typo in a test is seen. */
function readMembers(body: Record<string, unknown>, types: Readonly<Record<string, MemberType>>): object {
  for (const [name, value] of Object.entries(body)) {
    const type = types[name];
    if (type === undefined) throw new Error(`${name} is not known; known: ${Object.keys(types).join(', ')}`);
    if (typeof value !== type) throw new Error(`${name} must be a ${type}`);
  }
  return body;
}

function readCodeOwner(body: Record<string, unknown>): CodeOwner {
  return readMembers(body, { openid: 'string', unionid: 'string', appid: 'string', risk: 'boolean' });
}

function readFault(body: Record<string, unknown>): Fault {
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
