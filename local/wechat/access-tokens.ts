/** The access tokens of the emulated WeChat: the rules of `stable_token`, and what a token opens. */
import { randomBytes } from 'node:crypto';
import type { ErrorResponse, WechatJson } from './error-responses.ts';

interface IssuedToken {
  readonly appid: string;
  readonly value: string;
  readonly endsAt: number;
}

interface App {
  /** The newest last; older ones are good until their end. */
  tokens: IssuedToken[];
  forced: { readonly day: number; count: number; lastAt: number };
}

/** Whose call it is, or why it is nobody's. */
type TokenCheck =
  | { readonly appid: string; readonly refusal?: undefined }
  | { readonly appid?: undefined; readonly refusal: WechatJson };

const LIFETIME_MS = 7200_000;
const RENEWED_BEFORE_END_MS = 5 * 60_000;
const FORCED_A_DAY = 20;
const BETWEEN_FORCED_MS = 30_000;
const DAY_MS = 86_400_000;

export function createAccessTokens(options: {
  /** AppSecret by appid. */
  readonly apps: Readonly<Record<string, string>>;
  readonly now: () => number;
  readonly errorResponse: ErrorResponse;
}) {
  const { apps, now, errorResponse } = options;
  const byAppid = new Map<string, App>();
  /** Every token ever given, so that one that has ended is told from one that never was. */
  const everything = new Map<string, IssuedToken>();

  const issue = (appid: string): IssuedToken => {
    const value = `99_${randomBytes(99).toString('base64url')}`;
    const token = { appid, value, endsAt: now() + LIFETIME_MS };
    everything.set(value, token);
    return token;
  };

  const openApp = (appid: string): App => {
    const app = byAppid.get(appid) ?? {
      tokens: [],
      forced: { day: 0, count: 0, lastAt: Number.NEGATIVE_INFINITY },
    };
    byAppid.set(appid, app);
    return app;
  };

  /** Whether this call may end the token before it; `undefined` when the day's calls are used up. */
  const mayForce = (app: App): boolean | undefined => {
    if (now() - app.forced.lastAt < BETWEEN_FORCED_MS) return false;
    const day = Math.floor(now() / DAY_MS);
    const count = app.forced.day === day ? app.forced.count : 0;
    if (count >= FORCED_A_DAY) return undefined;
    app.forced = { day, count: count + 1, lastAt: now() };
    return true;
  };

  return {
    /** Normal mode gives the same token with what is left of it, and a new one in its last five minutes. */
    stableToken(body: WechatJson): WechatJson {
      const { appid, secret, grant_type, force_refresh = false } = body;
      if (!appid) return errorResponse(41002);
      if (!secret) return errorResponse(41004);
      if (grant_type !== 'client_credential') return errorResponse(40002);
      if (typeof appid !== 'string' || !Object.hasOwn(apps, appid)) return errorResponse(40013);
      if (apps[appid] !== secret) return errorResponse(40125);

      const app = openApp(appid);
      const forced = force_refresh === true ? mayForce(app) : false;
      if (forced === undefined) return errorResponse(45009);
      if (forced) app.tokens = [];
      let token = app.tokens.at(-1);
      if (token === undefined || token.endsAt - now() <= RENEWED_BEFORE_END_MS) {
        token = issue(appid);
        app.tokens = [...app.tokens.slice(-1), token];
      }
      return { access_token: token.value, expires_in: Math.floor((token.endsAt - now()) / 1000) };
    },

    /** A token is taken from the query alone. */
    check(query: URLSearchParams, body: WechatJson): TokenCheck {
      if ('access_token' in body) return { refusal: errorResponse(47001) };
      const value = query.get('access_token');
      if (!value) return { refusal: errorResponse(41001) };
      const token = everything.get(value);
      if (token === undefined) return { refusal: errorResponse(40001) };
      if (token.endsAt <= now()) return { refusal: errorResponse(42001) };
      if (!openApp(token.appid).tokens.includes(token)) return { refusal: errorResponse(40001) };
      return { appid: token.appid };
    },
  };
}
