/** The way to WeChat's server API that every call takes: hosts in order, one budget, one reading of failures. */
import { setTimeout as pause } from 'node:timers/promises';
import * as v from 'valibot';
import type { Clock } from '../contracts/clock.ts';
import type { WechatErrorCode } from '../contracts/errors.ts';
import { jsonText } from '../contracts/schemas.ts';
import { ERRCODE, WechatError, wechatErrorOf } from './errcodes.ts';
import { createTextSource, type TextResponse, TransportError } from './get-text.ts';

/** Times are milliseconds. */
export interface WechatConnectionOptions {
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

/** One call of a route. */
interface WechatCall<S extends WechatSchema> {
  /** With a slash in front. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON by POST; a call without is a GET. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** What a response without an errcode must be. */
  readonly schema: S;
  /** Says what is missing in a response that does not fit the schema; nothing of it is quoted. */
  readonly expected: string;
  /** Errcodes that mean something else on this route than elsewhere. */
  readonly meanings?: Readonly<Record<number, WechatErrorCode>>;
}

type WechatSchema = v.GenericSchema<unknown, object>;

/** What WeChat sent, and which of its hosts it was. */
type WechatResult<S extends WechatSchema> = v.InferOutput<S> & { readonly host: string };

/** A connection to WeChat's server API. */
export interface WechatConnection {
  /**
   * Calls a route. A WeChat that is busy is called once more.
   *
   * @throws WechatError and nothing else, with nothing in it of what was sent or received
   */
  call<S extends WechatSchema>(call: WechatCall<S>): Promise<WechatResult<S>>;
  /**
   * Opens the first call's connection to the first host ahead of it: name, TCP, TLS, and undici's parser, which is
   * WebAssembly that the first connection compiles. Takes at most 2.5 seconds, and failing is left to the call.
   */
  openConnection(): Promise<void>;
  /** Closes all connections; calls under way fail. */
  close(): void;
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
 * Creates a {@link WechatConnection}; nothing is sent before the first call.
 *
 * @throws TypeError when `apiBases` is empty or has an entry that is not an http(s) URL.
 */
export function createWechatConnection(options: WechatConnectionOptions): WechatConnection {
  const { apiBases, totalBudgetMs = 4_000, connectTimeoutMs = 2_500, now = Date.now } = options;
  if (apiBases.length === 0) throw new TypeError('apiBases must name at least one base URL');

  const hosts = apiBases.map((base) => openHost(base, now));

  const sendToFirstReachable = async <S extends WechatSchema>(
    call: WechatCall<S>,
    signal: AbortSignal,
  ): Promise<WechatResult<S>> => {
    const failures: string[] = [];
    const route = call.query === undefined ? call.path : `${call.path}?${new URLSearchParams(call.query)}`;
    const body = call.body && JSON.stringify(call.body);
    const limits = { signal, connectTimeoutMs, maxBytes: MAX_RESPONSE_BYTES };
    for (const { host, source, prefix } of hosts) {
      const path = `${prefix}${route}`;
      try {
        const response = await (body === undefined
          ? source.getText(path, limits)
          : source.postJson(path, body, limits));
        return readResult(response, call, host);
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        failures.push(`${host}: ${error.message}`);
        if (error.sent || signal.aborted) throw unavailable(failures.join('; '), host);
      }
    }
    throw unavailable(failures.join('; '));
  };

  return {
    async call(call) {
      // `AbortSignal.timeout` would outlive the call: garbage of seconds, which each collection copies.
      const budget = new AbortController();
      const timer = setTimeout(() => budget.abort(), totalBudgetMs);
      const { signal } = budget;
      try {
        return await sendToFirstReachable(call, signal);
      } catch (error) {
        if (!(error instanceof WechatError && error.errcode === ERRCODE.busy)) throw error;
        await pause(BUSY_PAUSE_MS);
        if (signal.aborted) throw error;
        return await sendToFirstReachable(call, signal);
      } finally {
        clearTimeout(timer);
      }
    },
    async openConnection() {
      const [first] = hosts;
      if (first === undefined) return;
      const limits = { signal: AbortSignal.timeout(OPEN_MS), connectTimeoutMs, maxBytes: MAX_RESPONSE_BYTES };
      // Whatever the response, the connection is open; no route is called that could count against a quota.
      await first.source.getText('/', limits).catch(() => {});
    },
    close() {
      for (const { source } of hosts) source.close();
    },
  };
}

function openHost(base: string, now: Clock) {
  const url = new URL(base);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new TypeError('apiBases must be http(s) URLs');
  return {
    host: url.host,
    source: createTextSource({ url, keepAliveMs: KEEP_ALIVE_MS, now }),
    prefix: url.pathname.replace(/\/$/, ''),
  };
}

const errcode = v.union([
  v.pipe(v.number(), v.safeInteger()),
  v.pipe(v.string(), v.regex(/^-?\d{1,9}$/), v.transform(Number)),
]);

/** Any response, whatever its content type. */
const anyResponse = v.pipe(
  v.string(),
  // JSON forbids control characters in its strings, and WeChat's texts may hold some; no identifier has a space.
  v.transform((text) => text.replace(/\p{Cc}/gu, ' ')),
  jsonText,
  v.looseObject({ errcode: v.nullish(errcode, 0), errmsg: v.fallback(v.string(), '') }),
);

/** Success is no errcode, or 0, and what the schema demands. */
function readResult<S extends WechatSchema>(
  { status, body }: TextResponse,
  { schema, expected, meanings }: WechatCall<S>,
  host: string,
): WechatResult<S> {
  if (status !== 200) throw unavailable(`${host}: HTTP status ${status}`, host);
  const read = v.safeParse(anyResponse, body);
  if (!read.success) throw unavailable(`${host}: a response that cannot be read`, host);
  const { errcode: number, errmsg } = read.output;
  if (number !== 0) throw wechatErrorOf(number, errmsg, host, meanings?.[number]);
  const found = v.safeParse(schema, read.output);
  if (!found.success) throw unavailable(`${host}: a response without usable ${expected}`, host);
  return { ...found.output, host };
}

/** @param host the one that has the request; undefined when none was reached */
function unavailable(what: string, host?: string): WechatError {
  return new WechatError('wechat_unavailable', { reason: `The call to WeChat failed: ${what}`, host });
}
