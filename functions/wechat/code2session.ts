/** The one call a login makes to WeChat: a `wx.login` code in, who it belongs to out. */
import * as v from 'valibot';
import type { WechatConnection } from './connection.ts';
import { identifier, type WechatIdentity } from './identity.ts';

export interface Code2SessionInput {
  readonly appid: string;
  readonly secret: string;
  /** Of `wx.login`; single use, five minutes. */
  readonly code: string;
}

/** Whom a code belongs to, and who said so. WeChat's `session_key` is dropped: nothing here needs it. */
interface WechatSession extends WechatIdentity {
  /** WeChat's host that responded. */
  readonly host: string;
}

/**
 * Exchanges a code.
 *
 * @throws WechatError `invalid_code`, `code_used`, `login_blocked`, `rate_limited`, `wechat_unavailable`,
 * `wechat_misconfigured`; nothing else, and nothing secret in it.
 */
export type Code2Session = (input: Code2SessionInput) => Promise<WechatSession>;

const session = v.object({
  openid: identifier,
  session_key: v.pipe(v.string(), v.nonEmpty()),
  unionid: v.fallback(v.optional(identifier), undefined),
});

export function createCode2Session(connection: Pick<WechatConnection, 'call'>): Code2Session {
  return async ({ appid, secret, code }) => {
    const { openid, unionid, host } = await connection.call({
      path: '/sns/jscode2session',
      query: { appid, secret, js_code: code, grant_type: 'authorization_code' },
      schema: session,
      expected: 'session',
    });
    return { openid, ...(unionid !== undefined && { unionid }), host };
  };
}
