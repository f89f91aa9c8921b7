/**
 * WeChat's server API, emulated over real HTTP with its habits and its faults, so that the local run and the tests
 * meet what production meets. It logs nothing.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type CodeOwner, createWechatAccounts } from './accounts.ts';
import { readJson, readMembers } from './control-request.ts';
import { type Fault, isRefusal, readFault, refusalOf, sendFaulty } from './faults.ts';
import { sendAnswer, sendJson } from './send.ts';

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

/** What reached `jscode2session`. */
interface CallCounts {
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
      return sendAnswer(response, refusalOf(current, accounts.errorAnswer));
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

function readCodeOwner(body: Record<string, unknown>): CodeOwner {
  return readMembers(body, { openid: 'string', unionid: 'string', appid: 'string', risk: 'boolean' });
}
