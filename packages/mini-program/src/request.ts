/** A request that carries the token where it may, and is repeated when only the token was the trouble. */

import { originOf, resolveUrl, withQuery } from './http/address.ts';
import { type Answerer, readAnswer } from './http/answer.ts';
import { headersOf, type Language } from './http/service.ts';
import { isRefused, LoginError } from './login-error.ts';
import type { Method, Platform, SentRequest } from './platforms/platform.ts';
import type { Account } from './session/account.ts';

/** What to ask for. */
export interface RequestOptions {
  /** Absolute, or appended to `baseUrl`. */
  readonly url: string;
  /** `GET` when left out. */
  readonly method?: Method;
  /** The query of GET and DELETE, the JSON body of POST and PUT. */
  readonly data?: object | undefined;
  readonly header?: Record<string, string>;
  /** Milliseconds; the platform's own (60,000 in WeChat) when left out. */
  readonly timeout?: number;
}

/** A response to come that can be given up; a login it waits for goes on for the others. */
export type Abortable<T> = Promise<T> & {
  /** Rejects with `aborted`. */
  abort(): void;
};

/** How a client sends. */
export interface Sender {
  readonly platform: Platform;
  readonly account: Account;
  readonly baseUrl: string;
  /** Origins that get the token. */
  readonly origins: readonly (string | undefined)[];
  readonly language: Language | undefined;
}

/** How one request is treated. */
export interface Treatment {
  readonly answerer: Answerer;
  /** Whether a refusal may cause a login. */
  readonly mayLogIn: boolean;
}

/** Sends a request; rejects with LoginError. */
export function sendRequest<T>(
  { platform, account, baseUrl, origins, language }: Sender,
  { url, method = 'GET', data, header, timeout }: RequestOptions,
  { answerer, mayLogIn }: Treatment,
): Abortable<T> {
  let sent: SentRequest | undefined;
  let abortion: LoginError | undefined;
  let giveUp: (reason: LoginError) => void;

  const hasBody = method === 'POST' || method === 'PUT';
  const absolute = resolveUrl(baseUrl, url);
  const origin = originOf(absolute);
  const attempt = async (token?: string): Promise<T> => {
    if (abortion) throw abortion;
    sent = platform.send({
      method,
      url: hasBody ? absolute : withQuery(absolute, data),
      header: Object.assign(lowerCase(header), headersOf(language, token, hasBody)),
      body: hasBody && data ? JSON.stringify(data) : undefined,
      timeout,
    });
    return readAnswer(await sent.answer, answerer) as T;
  };
  const run = async (): Promise<T> => {
    if (!METHOD.test(method)) throw new TypeError('method must be GET, POST, PUT or DELETE');
    if (origins.indexOf(origin) < 0) return attempt();
    const first = await account.usable(language);
    for (let last = first; ; ) {
      try {
        const answer = await attempt(last.token);
        account.accepted(last);
        return answer;
      } catch (refusal) {
        if (abortion || !isRefused(refusal)) throw refusal;
        last = await account.afterRefusal({ first, last, refusal }, mayLogIn, language);
      }
    }
  };
  const promise = new Promise<T>((resolve, reject) => {
    giveUp = reject;
    run().then(resolve, reject);
  });
  return Object.assign(promise, {
    abort() {
      abortion = new LoginError('aborted', 'Aborted');
      giveUp(abortion);
      if (sent) sent.abort();
    },
  });
}

/** What all platforms can send: `wx.request` knows no PATCH. */
const METHOD = /^(GET|POST|PUT|DELETE)$/;

function lowerCase(header: Record<string, string> = {}): Record<string, string> {
  const lower: Record<string, string> = {};
  for (const name of Object.keys(header)) lower[name.toLowerCase()] = header[name] || '';
  return lower;
}
