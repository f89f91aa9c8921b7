/**
 * The login of one service and AppID in one app: its session, and the only place that starts a login or a refresh.
 * Clients of the same service share it.
 */
import type { LoginAnswer, RefreshAnswer } from '../api-types.ts';
import { callService, type Language } from '../http/service.ts';
import { hasCode, isRefused, LoginError, loggedOut, type RefusedAnswer } from '../login-error.ts';
import type { Platform } from '../platforms/platform.ts';
import { type LoginOptions, logIn } from './log-in.ts';
import { createSessionStore, type LoggedIn, type Session } from './session-store.ts';
import { createSingleFlight } from './single-flight.ts';

/** What happens to an account beside what its calls resolve with. */
export interface AccountEvents {
  /** Another member is logged in, or nobody. */
  change: LoggedIn | undefined;
  /** What no call rejects with: a refresh in the background, a logout's request, a storage that failed. */
  error: LoginError;
}

/** A request that was refused. */
export interface RefusedRequest {
  /** With whose token it was first sent. */
  readonly first: Session;
  /** With whose token it was sent last. */
  readonly last: Session;
  readonly refusal: LoginError;
}

/** One login, shared by the clients of its service. */
export interface Account {
  readonly listeners: { readonly [E in keyof AccountEvents]: Set<(value: AccountEvents[E]) => void> };
  /** Who is logged in on this device, whether or not the token still lives. */
  current(): Session | undefined;
  /** A session whose token can be sent; logs in where there is none. @throws LoginError. */
  usable(language: Language | undefined): Promise<Session>;
  /** A login that was asked for. @throws LoginError. */
  logIn(options: LoginOptions, language: Language | undefined): Promise<Session>;
  /** Ends the login here, then at the service; resolves offline too. */
  logOut(all: boolean, language: Language | undefined): Promise<void>;
  /**
   * Ends the login here once `send` has deleted the account. Until its outcome is known, no login is silent, not even
   * after a restart: it could make a new account.
   */
  leave<T>(send: () => Promise<T>, language: Language | undefined): Promise<T>;
  /** A token was accepted. */
  accepted(session: Session): void;
  /**
   * The session to repeat a refused request with.
   *
   * @param mayLogIn whether a login may be the remedy
   * @throws LoginError when it must not be repeated
   */
  afterRefusal(request: RefusedRequest, mayLogIn: boolean, language: Language | undefined): Promise<Session>;
}

/** Milliseconds. */
const MINUTE = 60_000;

/** Refusals of a login that another login does not change. */
const FINAL = /^(user_banned|login_blocked|account_closing)$/;

/**
 * Creates the account; nothing is read or sent before it is needed.
 *
 * @param key of its session in the storage
 */
function createAccount(platform: Platform, baseUrl: string, appid: string | undefined, key: string): Account {
  const listeners: Account['listeners'] = { change: new Set(), error: new Set() };
  const store = createSessionStore(platform.storage, key, () =>
    emit('error', new LoginError('unavailable', 'The storage fails')),
  );
  const loginFlight = createSingleFlight<Session>();
  const codeFlight = createSingleFlight<string>();
  const refreshFlight = createSingleFlight<void>();
  /** What begins before a logout and ends after it is discarded. */
  let logouts = 0;
  let logins = 0;
  /** The login whose token nothing has accepted yet. */
  let unprovenLogin: number | undefined;
  /** A refusal has survived a fresh login. */
  let loginsAreVain = false;
  let blocked: LoginError | undefined;
  let refreshTriedAt = 0;
  /** The token that the service does not refresh any more. */
  let unrefreshable: string | undefined;

  platform.onShow(() => {
    loginsAreVain = false;
    unprovenLogin = blocked = undefined;
  });

  /** In a turn of its own, so that a listener that throws breaks nothing here. */
  function emit<E extends keyof AccountEvents>(event: E, value: AccountEvents[E]): void {
    for (const listener of listeners[event]) Promise.resolve(value).then(listener);
  }

  function keep(data: unknown, login: number): Session {
    const answer = data as RefreshAnswer & Partial<Pick<LoginAnswer, 'is_new'>>;
    if (!answer.user_id || !answer.token || !(answer.expires_in > 0))
      throw new LoginError('unavailable', 'No token in the response');
    const session: Session = {
      userId: answer.user_id,
      isNew: !!answer.is_new,
      token: answer.token,
      receivedAt: Date.now(),
      expiresIn: answer.expires_in,
      login,
    };
    const before = store.read();
    store.put(session);
    if (!before || before.userId !== session.userId) emit('change', whoIs(session));
    return session;
  }

  function startLogin(options: LoginOptions, language: Language | undefined): Promise<Session> {
    return loginFlight.join(async () => {
      const begun = logouts;
      const stillWanted = () => {
        if (begun !== logouts) throw loggedOut();
      };
      try {
        const data = await logIn({
          getCode: () => codeFlight.join(platform.login),
          post: (code) => {
            const body = Object.assign({}, options.profile, { code, appid, restore: options.restore });
            return callService(platform, baseUrl, { path: '/member/login', body, language });
          },
          stillWanted,
        });
        stillWanted();
        const session = keep(data, logins + 1);
        unprovenLogin = ++logins;
        return session;
      } catch (error) {
        if (hasCode(error, FINAL)) blocked = error as LoginError;
        throw error;
      }
    });
  }

  async function silentLogin(language: Language | undefined): Promise<Session> {
    if (blocked) throw blocked;
    if (store.isLoggedOut() && !loginFlight.isBusy()) {
      // Of a member who was about to leave, and has left.
      if (store.read()) end();
      throw loggedOut();
    }
    return startLogin({}, language);
  }

  /** Rejects after a logout only: a token that still lives needs no refresh to succeed. */
  function refresh(session: Session, language: Language | undefined): Promise<void> {
    return refreshFlight.join(async () => {
      refreshTriedAt = Date.now();
      const { token, login } = session;
      try {
        const call = { path: '/member/refresh', body: {}, language, token } as const;
        const data = await callService(platform, baseUrl, call);
        if (store.read() === session) keep(data, login);
      } catch (error) {
        if (store.read() !== session) return;
        if (isRefused(error)) unrefreshable = token;
        emit('error', error as LoginError);
      }
    });
  }

  async function usable(language: Language | undefined): Promise<Session> {
    if (blocked) throw blocked;
    const session = store.read();
    if (!session) return silentLogin(language);
    const left = timeLeft(session);
    const isRefreshable = session.token !== unrefreshable && !store.isLoggedOut();
    if (left <= (isRefreshable ? 0 : MINUTE)) return silentLogin(language);
    const isRested = Math.abs(Date.now() - refreshTriedAt) >= MINUTE;
    if (left < session.expiresIn * 500 && isRefreshable && (isRested || refreshFlight.isBusy())) {
      const refreshed = refresh(session, language);
      if (left < MINUTE) return refreshed.then(() => usable(language));
    }
    return session;
  }

  function end(): void {
    logouts++;
    store.end();
    blocked = undefined;
    loginFlight.abandon(loggedOut());
    refreshFlight.abandon(loggedOut());
    emit('change', undefined);
  }

  return {
    listeners,
    current: store.read,
    usable,
    async logIn(options, language) {
      const session = store.read();
      const isWanted = options.force || options.restore || blocked || store.isLoggedOut();
      blocked = undefined;
      return session && !isWanted && timeLeft(session) > 0 ? session : startLogin(options, language);
    },
    async logOut(all, language) {
      const session = store.read();
      end();
      if (!session) return;
      const call = { path: '/member/logout', body: { all }, language, token: session.token } as const;
      await callService(platform, baseUrl, call).catch((error) => emit('error', error));
    },
    async leave(send, language) {
      const wasLeaving = store.isLoggedOut();
      store.leave(await usable(language));
      try {
        const answer = await send();
        end();
        return answer;
      } catch (error) {
        const session = store.read();
        // What has no response (and no status), or one of a service in trouble, may have been done.
        if (session && (error as RefusedAnswer).status < 500) {
          if (!wasLeaving) store.put(session);
          else if (isRefused(error)) end();
        }
        throw error;
      }
    },
    accepted({ login }) {
      if (login === unprovenLogin) unprovenLogin = undefined;
    },
    async afterRefusal(request, mayLogIn, language) {
      const { first, last, refusal } = request;
      let session = store.read();
      if (!session) throw loggedOut();
      if (session.token === last.token) {
        if (last.login > first.login || last.login === unprovenLogin) loginsAreVain = true;
        if (loginsAreVain || !mayLogIn) throw refusal;
        session = await silentLogin(language);
      }
      if (session.userId !== first.userId) throw new LoginError('user_changed', 'Another member logged in');
      return session;
    },
  };
}

/** What others may know of a session. */
export function whoIs({ userId, isNew }: Session): LoggedIn {
  return { userId, isNew };
}

/**
 * Milliseconds, by this device's clock alone: the `exp` in a token is of another. A clock that was set back makes it
 * longer, and the token is used until it is refused.
 */
function timeLeft({ receivedAt, expiresIn }: Session): number {
  return receivedAt + expiresIn * 1000 - Date.now();
}

const accounts = new WeakMap<object, Map<string, Account>>();

/** The account of a service and AppID on a platform's host; made once. */
export function accountOf(platform: Platform, baseUrl: string, appid: string | undefined): Account {
  const ofHost = accounts.get(platform.host) || new Map<string, Account>();
  accounts.set(platform.host, ofHost);
  const key = `wechat-login ${baseUrl} ${appid || ''}`;
  const account = ofHost.get(key) || createAccount(platform, baseUrl, appid, key);
  ofHost.set(key, account);
  return account;
}
