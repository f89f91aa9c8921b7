/**
 * WeChat's server API, emulated over real HTTP with its habits and its faults, so that the local run and the tests
 * meet what production meets. It logs nothing.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { createAccessTokens } from './access-tokens.ts';
import { type CodeOwner, createWechatAccounts } from './accounts.ts';
import { readJson, readMembers } from './control-request.ts';
import { createErrorResponse, type ErrorResponse, type WechatJson } from './error-responses.ts';
import {
  type Fault,
  isRefusal,
  type RouteName,
  readFault,
  refusalOf,
  routeNames,
  sendFaulty,
} from './faults.ts';
import { createPhoneCodes, type PhoneOwner } from './phone-codes.ts';
import type { PushTarget } from './push.ts';
import { pushAsOrdered } from './push-order.ts';
import { type MediaType, sendJson, sendResponse, sendText } from './send.ts';
import { checkText } from './text-check.ts';

export interface WechatSimulatorOptions {
  /** AppSecret by appid. */
  readonly apps: Readonly<Record<string, string>>;
  /** Port on 127.0.0.1 of the first host. Default: a free one. */
  readonly port?: number;
  /** Hosts that respond, each on a port of its own. Default: 1. */
  readonly hosts?: 1 | 2;
  /** Milliseconds before every response. Default: 0. */
  readonly delayMs?: number;
  /** Calls of one user within a minute before errcode 45011; WeChat once documented 100. Default: no limit. */
  readonly userMinuteLimit?: number;
  /** Where `POST /__sim/push` pushes to, the default mini-program first. Default: nowhere. */
  readonly pushTargets?: () => readonly PushTarget[];
  /** Unix time in milliseconds. Default: `Date.now`. */
  readonly now?: () => number;
}

/** A fault that is switched on, and how many calls it still affects. */
export interface ActiveFault {
  readonly fault: Fault;
  /** Absent when it stays until it is cleared. */
  readonly callsLeft?: number;
}

/** What reached WeChat. */
interface CallCounts {
  /** Calls of the route. */
  readonly count: number;
  /** TCP connections that were opened for anything. */
  readonly connections: number;
}

/** A running simulator; everything but `close` is also there over HTTP, under `/__sim/`. */
export interface WechatSimulator {
  /** Base URL without a slash at the end. */
  readonly url: string;
  /** Base URL of every host, the first one first. */
  readonly urls: readonly string[];
  readonly port: number;
  /** `POST /__sim/codes`. */
  issueCode(owner?: CodeOwner): string;
  /** `POST /__sim/phone-codes`. */
  issuePhoneCode(owner?: PhoneOwner): string;
  /** `POST /__sim/faults`; replaces the fault before on that route for the same code and user. */
  setFault(fault: Fault): void;
  /** Those that are still on, the newest first: the first one that a call matches is the one it meets. */
  faults(): readonly ActiveFault[];
  /** Whether the first host takes connections. */
  setFirstHostDown(down: boolean): Promise<void>;
  firstHostIsDown(): boolean;
  /** Gives a mini-program a new AppSecret, as its console does; the one before is refused from now on. */
  resetSecret(appid: string): string;
  /** `DELETE /__sim/faults`. */
  clearFaults(): void;
  /** `GET /__sim/calls?route=`. Default: those of jscode2session. */
  calls(route?: RouteName): CallCounts;
  /** Ends it, also in the middle of responses. */
  close(): Promise<void>;
}

type Respond = (query: URLSearchParams, body: WechatJson) => WechatJson;

/** One route of WeChat. */
interface Route {
  readonly name: RouteName;
  readonly type: MediaType;
  readonly errorResponse: ErrorResponse;
  readonly respond: Respond;
  /** Takes POST alone, with JSON. */
  readonly post?: boolean;
}

/**
 * Starts a simulator on 127.0.0.1.
 *
 * @throws Error of the listening socket, such as `EADDRINUSE`.
 */
export async function startWechatSimulator(options: WechatSimulatorOptions): Promise<WechatSimulator> {
  const { port = 0, hosts = 1, delayMs = 0, userMinuteLimit = Number.POSITIVE_INFINITY } = options;
  const { now = Date.now, pushTargets = () => [] } = options;
  const apps: Record<string, string> = { ...options.apps };
  const errorResponse = createErrorResponse(' ', now);
  const snsErrorResponse = createErrorResponse(', ', now);
  const accounts = createWechatAccounts({ apps, now, userMinuteLimit, errorResponse: snsErrorResponse });
  const accessTokens = createAccessTokens({ apps, now, errorResponse });
  const phoneCodes = createPhoneCodes({ firstAppid: Object.keys(apps)[0] ?? '', now, errorResponse });
  let faults: { readonly fault: Fault; callsLeft: number }[] = [];
  const counts = new Map<RouteName, number>();
  let connections = 0;

  const control = {
    issueCode: (owner: CodeOwner = {}) => accounts.issueCode(owner),
    issuePhoneCode: (owner: PhoneOwner = {}) => phoneCodes.issue(owner),
    setFault(fault: Fault) {
      const others = faults.filter((other) => targetOf(other.fault) !== targetOf(fault));
      faults = [{ fault, callsLeft: fault.times ?? Number.POSITIVE_INFINITY }, ...others];
    },
    clearFaults: () => {
      faults = [];
    },
    faults: () =>
      faults.map(({ fault, callsLeft }) => ({ fault, ...(Number.isFinite(callsLeft) && { callsLeft }) })),
    resetSecret(appid: string) {
      if (!Object.hasOwn(apps, appid)) throw new Error('WeChat knows no such appid');
      const secret = randomBytes(16).toString('hex');
      apps[appid] = secret;
      return secret;
    },
    calls: (route: RouteName = 'jscode2session'): CallCounts => ({
      count: counts.get(route) ?? 0,
      connections,
    }),
  };

  /** Of the first fault that a call meets, one call less is left. */
  const takeFault = (route: RouteName, query: URLSearchParams): Fault | undefined => {
    const code = query.get('js_code') ?? '';
    const openid = accounts.openidOf(query.get('appid') ?? '', code);
    const met = faults.find(
      ({ fault }) =>
        (fault.route ?? 'jscode2session') === route &&
        (fault.code ?? code) === code &&
        (fault.openid === undefined || fault.openid === openid),
    );
    if (met === undefined) return undefined;
    met.callsLeft -= 1;
    faults = faults.filter(({ callsLeft }) => callsLeft > 0);
    return met.fault;
  };

  const routes: Readonly<Record<string, Route>> = {
    '/sns/jscode2session': {
      name: 'jscode2session',
      type: 'text/plain',
      errorResponse: snsErrorResponse,
      respond: (query) => accounts.code2Session(query),
    },
    '/cgi-bin/stable_token': posted('stable_token', (_, body) => accessTokens.stableToken(body)),
    '/wxa/business/getuserphonenumber': posted('getuserphonenumber', (query, body) => {
      const { appid, refusal } = accessTokens.check(query, body);
      return appid === undefined ? refusal : phoneCodes.getUserPhoneNumber(appid, body);
    }),
    '/wxa/msg_sec_check': posted('msg_sec_check', (query, body) => {
      const { appid, refusal } = accessTokens.check(query, body);
      return appid === undefined ? refusal : checkText(body, errorResponse);
    }),
  };

  function posted(name: RouteName, respond: Respond): Route {
    return { name, type: 'application/json', errorResponse, respond, post: true };
  }

  const respondToCall = async (
    route: Route,
    query: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
  ) => {
    const { name, type, respond, post = false } = route;
    if (post && request.method === 'POST' && request.headers['content-length'] === undefined)
      return sendText(response, 412, '', 'text/plain');
    const body = post ? await readJson(request).catch(() => undefined) : {};
    counts.set(name, (counts.get(name) ?? 0) + 1);
    const respondPlainly = (): WechatJson => {
      if (post && request.method !== 'POST') return route.errorResponse(43002);
      return body === undefined ? route.errorResponse(47001) : respond(query, body);
    };
    const fault = takeFault(name, query);
    if (fault !== undefined && isRefusal(fault)) {
      if (fault.consumes === true) respondPlainly();
      if (delayMs > 0) await pause(delayMs);
      return sendResponse(response, refusalOf(fault, route.errorResponse), type);
    }
    const plain = respondPlainly();
    // A timer of 0 ms takes a whole one.
    if (delayMs > 0) await pause(delayMs);
    return fault === undefined
      ? sendResponse(response, plain, type)
      : sendFaulty(response, plain, fault, type);
  };

  const respondTo = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams } = new URL(`http://wechat${request.url}`);
    const route = routes[pathname];
    if (route !== undefined) return respondToCall(route, searchParams, request, response);
    switch (`${request.method} ${pathname}`) {
      case 'POST /__sim/codes':
        return sendJson(response, 200, { code: control.issueCode(readCodeOwner(await readJson(request))) });
      case 'POST /__sim/phone-codes':
        return sendJson(response, 200, {
          code: control.issuePhoneCode(readPhoneOwner(await readJson(request))),
        });
      case 'POST /__sim/push': {
        const order = await readJson(request);
        return sendJson(response, 200, await pushAsOrdered(order, pushTargets(), accounts.openidOf));
      }
      case 'POST /__sim/faults':
        control.setFault(readFault(await readJson(request)));
        return sendJson(response, 200, {});
      case 'DELETE /__sim/faults':
        control.clearFaults();
        return sendJson(response, 200, {});
      case 'GET /__sim/calls':
        return sendJson(response, 200, control.calls(readRoute(searchParams)));
      default:
        return sendJson(response, 404, { error: 'no such path' });
    }
  };

  const open = async (at: number): Promise<Server> => {
    const server = createServer((request, response) => {
      respondTo(request, response).catch((error: unknown) => {
        if (response.headersSent) response.destroy();
        else sendJson(response, 400, { error: error instanceof Error ? error.message : 'bad request' });
      });
    });
    // As in the other servers of a local run: clients end idle connections, so none sends into one that has just ended.
    server.keepAliveTimeout = 0;
    server.on('connection', () => {
      connections += 1;
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(at, '127.0.0.1', resolve);
    });
    return server;
  };
  let first: Server | undefined = await open(port);
  const second = hosts === 2 ? await open(0) : undefined;
  const firstPort = portOf(first);
  const urls = [firstPort, ...(second === undefined ? [] : [portOf(second)])].map(
    (each) => `http://127.0.0.1:${each}`,
  );

  return {
    ...control,
    url: urls[0] ?? '',
    urls,
    port: firstPort,
    firstHostIsDown: () => first === undefined,
    setFirstHostDown: async (down) => {
      if (down === (first === undefined)) return;
      const before = first;
      first = undefined;
      if (before === undefined) first = await open(firstPort);
      else await end(before);
    },
    close: async () => {
      await Promise.all([first, second].map((server) => server && end(server)));
    },
  };
}

/** What a fault is switched on for: one fault at a time for each. */
function targetOf({ route = 'jscode2session', code, openid }: Fault): string {
  return JSON.stringify([route, code, openid]);
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** Also in the middle of responses. */
function end(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function readCodeOwner(body: Record<string, unknown>): CodeOwner {
  return readMembers(body, { openid: 'string', unionid: 'string', appid: 'string', risk: 'boolean' });
}

function readPhoneOwner(body: Record<string, unknown>): PhoneOwner {
  return readMembers(body, { openid: 'string', phone: 'string', countryCode: 'string', appid: 'string' });
}

function readRoute(query: URLSearchParams): RouteName {
  const wanted = query.get('route') ?? 'jscode2session';
  const route = routeNames.find((name) => name === wanted);
  if (route === undefined) throw new Error(`route must be one of: ${routeNames.join(', ')}`);
  return route;
}
