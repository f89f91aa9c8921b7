/** The client that a mini-program creates once: login, requests with the token, the member's own profile. */

import type { DeletionAnswer, Profile, ProfileChanges } from './api-types.ts';
import { originOf } from './http/address.ts';
import type { Language } from './http/service.ts';
import { wechat } from './platforms/mini-program.ts';
import type { Method, Platform } from './platforms/platform.ts';
import { type Abortable, type RequestOptions, sendRequest } from './request.ts';
import { type AccountEvents, accountOf, whoIs } from './session/account.ts';
import type { LoginOptions } from './session/log-in.ts';
import type { LoggedIn } from './session/session-store.ts';

/** Settings of a client. */
export interface LoginClientOptions {
  /** Where the login service answers, stage path included: `https://login.example.com/prod`. */
  readonly baseUrl: string;
  /** Of this mini-program; needed where the service serves several. */
  readonly appid?: string;
  /** {@link wechat} when left out. */
  readonly platform?: Platform;
  /** Other origins that may have the token, as `https://orders.example.com`. */
  readonly origins?: readonly string[];
  /** Of `message` in errors; the platform's own when left out, Chinese where that says nothing. */
  readonly language?: Language;
}

/** Logs a member in and keeps them logged in. Every rejection is a LoginError. */
export interface LoginClient {
  /** Who is logged in on this device. */
  readonly session: LoggedIn | undefined;
  /** Logs in where nobody is, or in any case with `force` or `restore`. After a logout or a ban it takes this call. */
  login(options?: LoginOptions): Promise<LoggedIn>;
  /** A token that can be sent now; logs in where that is needed. */
  token(): Promise<string>;
  /** Resolves with `data` of our service, or with another team's body as it is. */
  request<T = unknown>(options: RequestOptions): Abortable<T>;
  me(): Promise<Profile>;
  updateMe(changes: ProfileChanges): Promise<Profile>;
  /**
   * Deletes the account (注销) and ends like a logout. Where the response is lost, nothing logs in until it is known: call it
   * again, and `token_revoked` says that the account was gone already.
   */
  deleteMe(): Promise<DeletionAnswer>;
  /** Binds the number behind the code of a `getPhoneNumber` button. */
  bindPhone(phone: { readonly code: string }): Promise<Profile>;
  /** Logs out on this device, or with `all` everywhere; resolves offline too. */
  logout(options?: { readonly all?: boolean }): Promise<void>;
  /** Listens; returns how to stop. */
  on<E extends keyof AccountEvents>(event: E, listener: (value: AccountEvents[E]) => void): () => void;
}

/** Creates a client. Nothing is sent before the first call. @throws TypeError for a URL that has no clear origin. */
export function createLoginClient(options: LoginClientOptions): LoginClient {
  const { appid, platform = wechat(), language } = options;
  const baseUrl = options.baseUrl.replace(/\/+$/, '');
  const origins = [baseUrl].concat(options.origins || []).map(originOf);
  if (origins.indexOf(undefined) >= 0)
    throw new TypeError('baseUrl and origins must be http or https URLs without credentials');
  const account = accountOf(platform, baseUrl, appid);
  const sender = { platform, account, baseUrl, origins, language };
  const own = <T>(method: Method, path: string, data?: object) =>
    sendRequest<T>(
      sender,
      { method, url: path, data },
      { answerer: 'service', mayLogIn: method !== 'DELETE' },
    );

  return {
    get session() {
      const session = account.current();
      return session && whoIs(session);
    },
    login: (login = {}) => account.logIn(login, language).then(whoIs),
    token: () => account.usable(language).then((session) => session.token),
    request: (request) => sendRequest(sender, request, { answerer: 'anyone', mayLogIn: true }),
    me: () => own('GET', '/member/me'),
    updateMe: (changes) => own('PUT', '/member/me', changes),
    deleteMe: () => account.leave(() => own<DeletionAnswer>('DELETE', '/member/me'), language),
    bindPhone: (phone) => own('POST', '/member/phone', phone),
    logout: ({ all = false } = {}) => account.logOut(all, language),
    on(event, listener) {
      // A function of its own: two clients may hand over the same listener.
      const called: typeof listener = (value) => listener(value);
      const heard = account.listeners[event].add(called);
      return () => {
        heard.delete(called);
      };
    },
  };
}
