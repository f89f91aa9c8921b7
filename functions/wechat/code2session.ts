/** The one call a login makes to WeChat: a `wx.login` code in, who it belongs to out. */
import { setTimeout as pause } from 'node:timers/promises';
import * as v from 'valibot';
import type { Clock } from '../contracts/clock.ts';
import { jsonText } from '../contracts/schemas.ts';
import { ERRCODE, WechatError, wechatErrorOf } from './errcodes.ts';
import { createTextSource, type TextResponse, TransportError } from './get-text.ts';
import type { WechatIdentity } from './identity.ts';

/** Times are milliseconds. */
export interface WechatClientOptions {
  /**
   * Base URLs in the order they are tried; the next one only when a request certainly did not reach the last.
   * WeChat's hosts: https://developers.weixin.qq.com/doc/service/Basic_Information/Interface_field_description.html
   */
  readonly apiBases: readonly string[];
  /** One budget for a whole call, over all hosts and its retry. Default: 4000. */
  readonly totalBudgetMs?: number;
  /** Budget for one host's DNS, TCP and TLS; an address must take the connection within 1200 of it. Default: 2500. */
  readonly connectTimeoutMs?: number;
  /** Tells how long connections have been idle. Default: `Date.now`. */
  readonly now?: Clock;
}

export interface Code2SessionInput {
  readonly appid: string;
  readonly secret: string;
  /** Of `wx.login`; single use, five minutes. */
  readonly code: string;
}

/** Whom a code belongs to, and who said so. WeChat's `session_key` is dropped: nothing here needs it. */
interface WechatSession extends WechatIdentity {
  /** Which of `apiBases` answered, counted from 0. */
  readonly host: number;
}

/** A connection to WeChat's server API. */
export interface WechatClient {
  /**
   * Exchanges a code.
   *
   * @throws WechatError `invalid_code`, `code_used`, `login_blocked`, `rate_limited`, `wechat_unavailable`,
   * `wechat_misconfigured`; nothing else, and nothing secret in it.
   */
  code2Session(input: Code2SessionInput): Promise<WechatSession>;
  /**
   * Opens the first call's connection to the first host ahead of it: name, TCP, TLS, and undici's parser, which is
   * WebAssembly that the first connection compiles. Takes at most 2.5 seconds, and does not fail: the call will meet the
   * failure.
   */
  openConnection(): Promise<void>;
  /** Closes all connections; calls under way fail. */
  close(): Promise<void>;
}

/** After this long without use a connection may be dead without this process having been told. */
const KEEP_ALIVE_MS = 4_000;
/** A response has some 150 bytes. */
const MAX_RESPONSE_BYTES = 64 * 1024;
/** Longest that a start waits for its connection: four round trips of 600 ms, the response's among them. */
const OPEN_MS = 2_500;
/** Before the retry of a busy WeChat. */
const BUSY_PAUSE_MS = 100;

/**
 * Creates a {@link WechatClient}; nothing is sent before the first call.
 *
 * @throws TypeError when `apiBases` is empty or has an entry that is not an http(s) URL.
 */
export function createWechatClient(options: WechatClientOptions): WechatClient {
  const { apiBases, totalBudgetMs = 4_000, connectTimeoutMs = 2_500, now = Date.now } = options;
  if (apiBases.length === 0) throw new TypeError('apiBases must name at least one base URL');

  const hosts = apiBases.map((base) => openHost(base, now));

  const sendToFirstReachable = async (
    query: URLSearchParams,
    signal: AbortSignal,
  ): Promise<WechatSession> => {
    const failures: string[] = [];
    for (const [host, { source, prefix }] of hosts.entries()) {
      const path = `${prefix}/sns/jscode2session?${query}`;
      const limits = { signal, connectTimeoutMs, maxBytes: MAX_RESPONSE_BYTES };
      try {
        return readSession(await source.getText(path, limits), host);
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        failures.push(`host ${host}: ${error.message}`);
        if (error.sent || signal.aborted) throw unavailable(failures.join('; '), host);
      }
    }
    throw unavailable(failures.join('; '), hosts.length - 1);
  };

  return {
    async code2Session({ appid, secret, code }) {
      const query = new URLSearchParams({ appid, secret, js_code: code, grant_type: 'authorization_code' });
      const signal = AbortSignal.timeout(totalBudgetMs);
      return sendToFirstReachable(query, signal).catch(async (error: unknown) => {
        if (!(error instanceof WechatError && error.errcode === ERRCODE.busy)) throw error;
        await pause(BUSY_PAUSE_MS);
        if (signal.aborted) throw error;
        return sendToFirstReachable(query, signal);
      });
    },
    async openConnection() {
      const [first] = hosts;
      if (first === undefined) return;
      const limits = { signal: AbortSignal.timeout(OPEN_MS), connectTimeoutMs, maxBytes: MAX_RESPONSE_BYTES };
      // Whatever is answered here, the connection is open; no route is called that could count against a quota.
      await first.source.getText('/', limits).catch(() => {});
    },
    async close() {
      for (const { source } of hosts) source.close();
    },
  };
}

function openHost(base: string, now: () => number) {
  const url = new URL(base);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new TypeError('apiBases must be http(s) URLs');
  return {
    source: createTextSource({ url, keepAliveMs: KEEP_ALIVE_MS, now }),
    prefix: url.pathname.replace(/\/$/, ''),
  };
}

const errcode = v.union([
  v.pipe(v.number(), v.safeInteger()),
  v.pipe(v.string(), v.regex(/^-?\d{1,9}$/), v.transform(Number)),
]);
/** Any response; the members of a session are in it only without an errcode. */
const response = v.pipe(
  v.string(),
  // JSON forbids control characters in its strings, and WeChat's texts may hold some; no identifier has a space.
  v.transform((text) => text.replace(/\p{Cc}/gu, ' ')),
  jsonText,
  v.looseObject({ errcode: v.nullish(errcode, 0), errmsg: v.fallback(v.string(), '') }),
);

/** WeChat promises no length or alphabet; what is refused here could not be a key or a header safely. */
const identifier = v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,128}$/));
const session = v.object({
  openid: identifier,
  session_key: v.pipe(v.string(), v.nonEmpty()),
  unionid: v.fallback(v.optional(identifier), undefined),
});

/** Success is no errcode, or 0, and an openid and a session_key; the content type is always `text/plain`. */
function readSession({ status, body }: TextResponse, host: number): WechatSession {
  if (status !== 200) throw unavailable(`host ${host}: HTTP status ${status}`, host);
  const read = v.safeParse(response, body);
  if (!read.success) throw unavailable(`host ${host}: an answer that cannot be read`, host);
  if (read.output.errcode !== 0) throw wechatErrorOf(read.output.errcode, read.output.errmsg, host);
  const found = v.safeParse(session, read.output);
  if (!found.success)
    throw unavailable(`host ${host}: an answer without usable openid and session_key`, host);
  const { openid, unionid } = found.output;
  return { openid, ...(unionid !== undefined && { unionid }), host };
}

function unavailable(what: string, host: number): WechatError {
  return new WechatError('wechat_unavailable', { reason: `The call to WeChat failed: ${what}`, host });
}
