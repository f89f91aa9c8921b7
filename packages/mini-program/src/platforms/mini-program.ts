/** Mini-programs: `wx`, and `uni` and `Taro`, which have the same calls. */
import { LoginError } from '../login-error.ts';
import type { HttpAnswer, Method, Platform } from './platform.ts';

/** What a failed call reports. */
export interface HostFailure {
  errMsg: string;
  /** Base library 2.24.0 and later. */
  errno?: number;
}

/** The part of `wx`, `uni` and `Taro` that the client uses. */
export interface MiniProgramHost {
  /** Absent in plugins. */
  login?(options: {
    timeout?: number;
    success(result: { code: string }): void;
    fail(failure: HostFailure): void;
  }): unknown;
  request(options: {
    url: string;
    method: Method;
    header: Record<string, string>;
    data?: string;
    timeout?: number;
    redirect?: 'follow' | 'manual';
    success(result: { statusCode: number; data: unknown; header: object }): void;
    fail(failure: HostFailure): void;
  }): unknown;
  getStorageSync(key: string): unknown;
  setStorageSync(key: string, data: string): void;
  onAppShow?(listener: () => void): void;
  getLaunchOptionsSync?(): { scene?: number };
}

declare const wx: MiniProgramHost | undefined;

/** 朋友圈 shows a page of the app before anybody has opened it. */
const SINGLE_PAGE = 1154;

/** PublicErrno `time out`. */
const TIME_OUT = 5;

/** Milliseconds. A `wx.login` that never ends would keep every login waiting. */
const LOGIN_TIMEOUT = 10_000;

/** Native mini-programs. @throws TypeError where there is no `wx`. */
export function wechat(): Platform {
  if (typeof wx === 'undefined') throw new TypeError('There is no wx: name a platform');
  return fromHost(wx);
}

/** uni-app: hand over its global `uni`. */
export const uni: (host: MiniProgramHost) => Platform = fromHost;

/** Taro: hand over the default export of `@tarojs/taro`. */
export const taro: (host: MiniProgramHost) => Platform = fromHost;

function fromHost(host: MiniProgramHost): Platform {
  return {
    host,
    login: () =>
      new Promise((resolve, reject) => {
        if (!host.login || host.getLaunchOptionsSync?.().scene === SINGLE_PAGE)
          throw new LoginError('single_page', 'There is no wx.login here');
        ignoreRejection(
          host.login({
            timeout: LOGIN_TIMEOUT,
            success: ({ code }) => resolve(code),
            fail: rejectWith(reject),
          }),
        );
      }),
    send({ method, url, header, body, timeout }) {
      let task: unknown;
      const answer = new Promise<HttpAnswer>((resolve, reject) => {
        const call: Parameters<MiniProgramHost['request']>[0] = {
          method,
          url,
          header,
          success: ({ statusCode, header, data }) => resolve({ status: statusCode, header, body: data }),
          fail: rejectWith(reject),
        };
        if (body) call.data = body;
        if (timeout) call.timeout = timeout;
        // A redirect could carry the token to another origin.
        if (header.authorization) call.redirect = 'manual';
        task = host.request(call);
        ignoreRejection(task);
      });
      return { answer, abort: () => (task as { abort(): void } | undefined)?.abort() };
    },
    storage: {
      read: (key) => host.getStorageSync(key),
      write: (key, value) => host.setStorageSync(key, value),
    },
    onShow: (listener) => host.onAppShow?.(listener),
  };
}

function rejectWith(reject: (reason: LoginError) => void): (failure: HostFailure) => void {
  return ({ errMsg, errno }) => {
    const isTimeout = errno === TIME_OUT || /time ?out/i.test(errMsg);
    reject(new LoginError(isTimeout ? 'timeout' : 'network', errMsg));
  };
}

/** Taro's calls return a promise too, which rejects beside `fail` and would be reported as unhandled. */
function ignoreRejection(result: unknown): void {
  Promise.resolve(result).catch(() => undefined);
}
