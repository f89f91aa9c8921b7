/** WeChat's opinion of a text that others will see, such as a nickname. */
import * as v from 'valibot';
import type { AccessTokens } from './access-token.ts';
import type { WechatConnection } from './connection.ts';
import { ERRCODE, WechatError } from './errcodes.ts';

/** `risky` must not be shown; `review` is for a person to look at. */
export interface ContentDecision {
  readonly decision: 'pass' | 'review' | 'risky';
  /** WeChat's number for the kind of content, such as 20002; 100 is harmless. Absent where it gave none. */
  readonly label?: number;
}

interface ContentInput {
  readonly appid: string;
  /** Of the member who wrote the text. WeChat must have seen them in the mini-program in the last hours. */
  readonly openid: string;
  /** Of a profile; up to 2,500 characters. */
  readonly text: string;
}

/**
 * Has a text of a profile checked. An error means that there is no decision, whatever its code; WeChat's errcode 61010
 * among them, which says no more than that the member has not been in the mini-program lately.
 *
 * @throws WechatError `rate_limited`, `wechat_unavailable`, `wechat_misconfigured`; nothing secret or personal in it
 * @throws DomainError `unavailable` when the AppSecrets cannot be read
 */
export type CheckContent = (input: ContentInput) => Promise<ContentDecision>;

/** Version 2 of the check; version 1 is no longer updated. */
const VERSION = 2;
/** Nicknames, signatures and the like. */
const SCENE_PROFILE = 1;

/** Seen as a number and as a string. */
const label = v.fallback(
  v.optional(
    v.union([
      v.pipe(v.number(), v.safeInteger()),
      v.pipe(v.string(), v.regex(/^\d{1,9}$/), v.transform(Number)),
    ]),
  ),
  undefined,
);
const checkResponse = v.object({
  result: v.object({ suggest: v.picklist(['pass', 'review', 'risky']), label }),
});

/** https://developers.weixin.qq.com/miniprogram/dev/server/API/sec-center/sec-check/api_msgseccheck.html */
export function createCheckContent(options: {
  readonly connection: Pick<WechatConnection, 'call'>;
  readonly accessTokens: AccessTokens;
}): CheckContent {
  const { connection, accessTokens } = options;
  return async ({ appid, openid, text }) => {
    try {
      const { result } = await accessTokens.withAccessToken(appid, (access_token) =>
        connection.call({
          path: '/wxa/msg_sec_check',
          query: { access_token },
          body: { content: text, version: VERSION, scene: SCENE_PROFILE, openid },
          schema: checkResponse,
          expected: 'decision',
          meanings: { [ERRCODE.apiUnauthorized]: 'wechat_misconfigured' },
        }),
      );
      return { decision: result.suggest, ...(result.label !== undefined && { label: result.label }) };
    } catch (error) {
      // How version 1 says it.
      if (error instanceof WechatError && error.errcode === ERRCODE.contentRisky)
        return { decision: 'risky' };
      throw error;
    }
  };
}
