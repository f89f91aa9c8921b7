/**
 * WeChat's access tokens, which every call but the login's needs: fetched when the first such call comes, so that a
 * login never waits for one.
 *
 * They are `stable_token`'s, in normal mode: any number of environments get the same token, and none ends another's.
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/mp-access-token/api_getstableaccesstoken.html
 */
import * as v from 'valibot';
import { createRefreshedValue } from '../cache/refreshed-value.ts';
import type { Clock } from '../contracts/clock.ts';
import { type AppSecrets, withNewestSecret } from './app-secrets.ts';
import type { WechatConnection } from './connection.ts';
import { ERRCODE, WechatError } from './errcodes.ts';

/** The access tokens of the mini-programs served here. */
export interface AccessTokens {
  /**
   * Calls WeChat with the access token of a mini-program. When WeChat refuses the token, it is renewed and the call
   * made once more, unless it was renewed within the last minute: a WeChat that refuses every token costs one further
   * call a minute.
   *
   * @throws WechatError of `call`, or `rate_limited`, `wechat_unavailable`, `wechat_misconfigured` without a token
   * @throws DomainError `unavailable` when the AppSecrets cannot be read
   */
  withAccessToken<T>(appid: string, call: (accessToken: string) => Promise<T>): Promise<T>;
}

/** WeChat itself renews a token this long before its end; earlier it gives the same one again. */
const RENEWED_BEFORE_END_MS = 5 * 60_000;
/** A token this close to its end could end on the way. */
const UNUSABLE_BEFORE_END_MS = 30_000;
const COOLDOWN_MS = 10_000;
const RENEWAL_COOLDOWN_MS = 60_000;

/** What WeChat says of a token that it does not take (any more). */
const refusals: readonly (number | undefined)[] = [
  ERRCODE.credentialInvalid,
  ERRCODE.accessTokenInvalid,
  ERRCODE.accessTokenExpired,
];

const tokenResponse = v.object({
  access_token: v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,2048}$/)),
  expires_in: v.pipe(
    v.union([v.number(), v.pipe(v.string(), v.regex(/^\d{1,9}$/), v.transform(Number))]),
    v.safeInteger(),
    v.minValue(1),
  ),
});

export function createAccessTokens(options: {
  readonly connection: Pick<WechatConnection, 'call'>;
  readonly appSecrets: AppSecrets;
  /** Is told of each fetch that failed. */
  readonly onFailure?: () => void;
  readonly now: Clock;
}): AccessTokens {
  const { connection, appSecrets, onFailure, now } = options;
  const byAppid = new Map<string, ReturnType<typeof openToken>>();

  const fetchToken = (appid: string) =>
    withNewestSecret(appSecrets, appid, async (secret) => {
      const { access_token, expires_in } = await connection.call({
        path: '/cgi-bin/stable_token',
        body: { grant_type: 'client_credential', appid, secret, force_refresh: false },
        schema: tokenResponse,
        expected: 'access token',
        // On this route it is the AppSecret that is not valid.
        meanings: { [ERRCODE.credentialInvalid]: 'wechat_misconfigured' },
      });
      return { accessToken: access_token, lifetimeMs: expires_in * 1000 };
    }).catch((error: unknown) => {
      onFailure?.();
      throw error;
    });

  function openToken(appid: string) {
    const open = () =>
      createRefreshedValue({
        load: () => fetchToken(appid),
        refreshAfterMs: ({ lifetimeMs }) => lifetimeMs - RENEWED_BEFORE_END_MS,
        whileStale: 'wait',
        maxAgeMs: ({ lifetimeMs }) => Math.max(lifetimeMs - UNUSABLE_BEFORE_END_MS, lifetimeMs / 2),
        cooldownMs: COOLDOWN_MS,
        now,
      });
    let token = open();
    let renewedAt = Number.NEGATIVE_INFINITY;

    const current = async (): Promise<string> => (await token.get()).accessToken;
    return {
      current,
      /** The token that replaces a refused one; the same one when there is none. */
      async after(refused: string): Promise<string> {
        const known = await current();
        // Somebody else has renewed it since, or a moment ago.
        if (known !== refused || Math.abs(now() - renewedAt) < RENEWAL_COOLDOWN_MS) return current();
        renewedAt = now();
        // A fetch that is under way belongs to the old value, and cannot replace the new one however late it ends.
        token = open();
        return current();
      },
    };
  }

  return {
    async withAccessToken(appid, call) {
      const token = byAppid.get(appid) ?? openToken(appid);
      byAppid.set(appid, token);
      const accessToken = await token.current();
      try {
        return await call(accessToken);
      } catch (error) {
        if (!(error instanceof WechatError) || !refusals.includes(error.errcode)) throw error;
        const renewed = await token.after(accessToken);
        if (renewed === accessToken) throw error;
        return call(renewed);
      }
    },
  };
}
