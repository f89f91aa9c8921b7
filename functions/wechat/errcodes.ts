/** WeChat's failures as our errors: errcodes mean different things to a user, to an operator and to a retry. */
import { DomainError } from '../errors/domain-error.ts';

/** The part of the error catalogue that a call to WeChat can end in. */
export type WechatErrorCode =
  | 'invalid_code'
  | 'code_used'
  | 'login_blocked'
  | 'rate_limited'
  | 'wechat_unavailable'
  | 'wechat_misconfigured';

/** What goes with a {@link WechatError}; every member is safe to log. */
export interface WechatErrorDetails {
  /** A sentence for operators; never WeChat's own text, which may hold an IP address, nor the URL. */
  readonly reason: string;
  /** WeChat's number for the failure; absent when there was no readable answer. */
  readonly errcode?: number;
  /** WeChat's request id, three groups of eight hex digits, for a support request. */
  readonly rid?: string;
  /** Which of the client's `apiBases` answered or failed, counted from 0. */
  readonly host?: number;
  /** Seconds for the `Retry-After` header. */
  readonly retryAfterSeconds?: number;
}

/** A call to WeChat that did not end in a session. Has no `cause`: the errors underneath may quote the answer. */
export class WechatError extends DomainError {
  override readonly name = 'WechatError';
  declare readonly code: WechatErrorCode;
  readonly errcode: number | undefined;
  readonly rid: string | undefined;
  readonly host: number | undefined;

  constructor(code: WechatErrorCode, details: WechatErrorDetails) {
    const { reason, retryAfterSeconds } = details;
    super(code, retryAfterSeconds === undefined ? { reason } : { reason, retryAfterSeconds });
    this.errcode = details.errcode;
    this.rid = details.rid;
    this.host = details.host;
  }
}

interface Meaning {
  readonly code: WechatErrorCode;
  readonly meaning: string;
  readonly retryAfterSeconds?: number;
}

/** https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session.html, and what is met beyond it. */
const meanings: ReadonlyMap<number, Meaning> = new Map([
  [-1, { code: 'wechat_unavailable', meaning: 'WeChat is busy' }],
  [40029, { code: 'invalid_code', meaning: 'the code is unknown, expired or of another mini-program' }],
  [40163, { code: 'code_used', meaning: 'the code was exchanged before' }],
  [40226, { code: 'login_blocked', meaning: 'WeChat rates this user as high risk' }],
  [45011, { code: 'rate_limited', meaning: 'the quota of this minute is used up', retryAfterSeconds: 60 }],
  [45009, { code: 'rate_limited', meaning: 'the quota of this day is used up', retryAfterSeconds: 3600 }],
  [40013, { code: 'wechat_misconfigured', meaning: 'the appid is not valid' }],
  [40125, { code: 'wechat_misconfigured', meaning: 'the AppSecret is not valid' }],
  [
    40164,
    {
      code: 'wechat_misconfigured',
      meaning: "this service's IP is not on the mini-program's API IP whitelist",
    },
  ],
  [40243, { code: 'wechat_misconfigured', meaning: 'the AppSecret is frozen' }],
  [50002, { code: 'wechat_misconfigured', meaning: "the mini-program's use of the API is restricted" }],
]);

const unknown: Meaning = { code: 'wechat_unavailable', meaning: 'not a code this service knows' };

/** Anchored to the end: the text before the rid is WeChat's and may hold anything. */
const RID = /\brid: ([0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8})$/;

/** Turns the `errcode` and `errmsg` of an answer of `apiBases[host]` into an error; only the rid is taken of `errmsg`. */
export function wechatErrorOf(errcode: number, errmsg: string, host: number): WechatError {
  const { code, meaning, retryAfterSeconds } = meanings.get(errcode) ?? unknown;
  const rid = RID.exec(errmsg)?.[1];
  return new WechatError(code, {
    reason: `WeChat answered errcode ${errcode} (${meaning})`,
    errcode,
    host,
    ...(rid !== undefined && { rid }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}
