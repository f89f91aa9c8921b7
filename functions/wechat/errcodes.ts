/** WeChat's failures as our errors: errcodes mean different things to a user, to an operator and to a retry. */
import type { WechatErrorCode } from '../contracts/errors.ts';
import { DomainError } from '../errors/domain-error.ts';

/**
 * The errcodes that something here depends on: those of the routes' pages, and what is met beyond them.
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session.html
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/mp-access-token/api_getstableaccesstoken.html
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/user-info/phone-number/api_getphonenumber.html
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/sec-center/sec-check/api_msgseccheck.html
 */
export const ERRCODE = {
  busy: -1,
  invalidCode: 40029,
  codeUsed: 40163,
  loginBlocked: 40226,
  minuteQuotaUsed: 45011,
  dayQuotaUsed: 45009,
  invalidAppid: 40013,
  invalidAppSecret: 40125,
  ipNotAllowed: 40164,
  appSecretFrozen: 40243,
  apiRestricted: 50002,
  apiUnauthorized: 48001,
  credentialInvalid: 40001,
  accessTokenInvalid: 40014,
  accessTokenExpired: 42001,
  accessTokensForbidden: 50004,
  accountFrozen: 50007,
  callNeedsConfirmation: 89503,
  callRefusedForADay: 89506,
  callRefusedForAnHour: 89507,
  openidInvalid: 40003,
  openidOfAnotherApp: 43104,
  checkQuotaUsed: 44991,
  memberNotActive: 61010,
  contentRisky: 87014,
} as const;

interface Meaning {
  readonly code: WechatErrorCode;
  /** For operators. */
  readonly words: string;
  readonly retryAfterSeconds?: number;
}

const meanings: Readonly<Record<keyof typeof ERRCODE, Meaning>> = {
  busy: { code: 'wechat_unavailable', words: 'WeChat is busy' },
  invalidCode: { code: 'invalid_code', words: 'the code is unknown, expired or of another mini-program' },
  codeUsed: { code: 'code_used', words: 'the code was exchanged before' },
  loginBlocked: { code: 'login_blocked', words: 'WeChat rates this user as high risk' },
  minuteQuotaUsed: {
    code: 'rate_limited',
    words: 'the quota of this minute is used up',
    retryAfterSeconds: 60,
  },
  dayQuotaUsed: { code: 'rate_limited', words: 'the quota of this day is used up', retryAfterSeconds: 3600 },
  invalidAppid: { code: 'wechat_misconfigured', words: 'the appid is not valid' },
  invalidAppSecret: { code: 'wechat_misconfigured', words: 'the AppSecret is not valid' },
  ipNotAllowed: {
    code: 'wechat_misconfigured',
    words: "this service's IP is not on the mini-program's API IP whitelist",
  },
  appSecretFrozen: { code: 'wechat_misconfigured', words: 'the AppSecret is frozen' },
  apiRestricted: { code: 'wechat_misconfigured', words: "the mini-program's use of the API is restricted" },
  apiUnauthorized: { code: 'wechat_unavailable', words: 'the mini-program may not call this API' },
  credentialInvalid: { code: 'wechat_unavailable', words: 'the access token is not valid' },
  accessTokenInvalid: { code: 'wechat_unavailable', words: 'the access token is not valid' },
  accessTokenExpired: { code: 'wechat_unavailable', words: 'the access token has expired' },
  accessTokensForbidden: {
    code: 'wechat_misconfigured',
    words: 'the mini-program may not use access tokens',
  },
  accountFrozen: { code: 'wechat_misconfigured', words: "the mini-program's account is frozen" },
  callNeedsConfirmation: {
    code: 'wechat_misconfigured',
    words: "an administrator of the mini-program must confirm this service's IP",
  },
  callRefusedForADay: {
    code: 'wechat_misconfigured',
    words: "an administrator of the mini-program refused this service's IP, for 24 hours",
  },
  callRefusedForAnHour: {
    code: 'wechat_misconfigured',
    words: "an administrator of the mini-program refused this service's IP, for an hour",
  },
  openidInvalid: { code: 'wechat_unavailable', words: 'the openid is not valid' },
  openidOfAnotherApp: { code: 'wechat_unavailable', words: 'the openid is of another mini-program' },
  checkQuotaUsed: {
    code: 'rate_limited',
    words: 'the quota of this minute is used up',
    retryAfterSeconds: 60,
  },
  memberNotActive: {
    code: 'wechat_unavailable',
    words: 'WeChat has not seen the user in the mini-program lately',
  },
  contentRisky: { code: 'content_rejected', words: 'the text is risky' },
};

const known: ReadonlyMap<number, Meaning> = new Map(
  Object.entries(meanings).map(([name, meaning]) => [ERRCODE[name as keyof typeof ERRCODE], meaning]),
);

const unknown: Meaning = { code: 'wechat_unavailable', words: 'not a code this service knows' };

/** Every member is safe to log. */
interface WechatErrorDetails {
  /** A sentence for operators; never WeChat's own text, which may hold an IP address, nor the URL. */
  readonly reason: string;
  /** WeChat's number for the failure; absent when there was no readable response. */
  readonly errcode?: number;
  /** WeChat's request id, three groups of eight hex digits: its support asks for it. */
  readonly rid?: string | undefined;
  /** WeChat's host that the call reached; absent when it reached none. */
  readonly host?: string | undefined;
  /** Seconds in `Retry-After`. Default: the catalogue's. */
  readonly retryAfterSeconds?: number | undefined;
}

/** A call to WeChat that brought no result. Has no `cause`: the errors underneath may quote the response. */
export class WechatError extends DomainError {
  override readonly name = 'WechatError';
  declare readonly code: WechatErrorCode;
  readonly errcode: number | undefined;

  constructor(code: WechatErrorCode, details: WechatErrorDetails) {
    const { reason, errcode, rid, host, retryAfterSeconds } = details;
    super(code, {
      reason,
      retryAfterSeconds,
      fields: { wechat_errcode: errcode, wechat_rid: rid, wechat_host: host },
    });
    this.errcode = errcode;
  }
}

/** Anchored to the end: the text before the rid is WeChat's and may hold anything. */
const RID = /\brid: ([0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8})$/;

/**
 * The error for an errcode that `host` returned; only the rid is taken of `errmsg`.
 *
 * @param code overrides what the errcode means elsewhere
 */
export function wechatErrorOf(
  errcode: number,
  errmsg: string,
  host: string,
  code?: WechatErrorCode,
): WechatError {
  const meaning = known.get(errcode) ?? unknown;
  const { words, retryAfterSeconds } = meaning;
  return new WechatError(code ?? meaning.code, {
    reason: `WeChat returned errcode ${errcode} (${words})`,
    errcode,
    rid: RID.exec(errmsg)?.[1],
    host,
    retryAfterSeconds,
  });
}
