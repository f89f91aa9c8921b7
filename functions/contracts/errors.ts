/**
 * Every error a client can meet, once: its stable name, HTTP status, the two texts a person may be shown, and how long
 * to wait before another try.
 * Handlers, gateway responses, the local run and the tests all read it from here.
 */

/** What one error looks like from outside. */
export interface ErrorEntry {
  /** HTTP status; the envelope's `code` repeats it. */
  readonly status: number;
  /** Text for people, Chinese (the default). */
  readonly zh: string;
  /** Text for people, English. */
  readonly en: string;
  /** Seconds in `Retry-After`, unless whoever throws the error knows better; absent where waiting does not help. */
  readonly retryAfterSeconds?: number;
  /** What `WWW-Authenticate` says on a 401, which must have one (RFC 9110, 15.5.2): what opens the route. */
  readonly challenge?: string;
}

/** A token opens the route: https://www.rfc-editor.org/rfc/rfc6750#section-3 */
const TOKEN_CHALLENGE = 'Bearer';

/** A code opens the route. The scheme is none that an HTTP client knows, so that it does not ask for a password. */
const CODE_CHALLENGE = 'WeChat realm="wx.login"';

/** The same with a code of the phone button. */
const PHONE_CODE_CHALLENGE = 'WeChat realm="getPhoneNumber"';

export const errorCatalogue = {
  missing_code: { status: 400, zh: '缺少code', en: 'code is missing' },
  invalid_request: { status: 400, zh: '请求参数错误', en: 'The request is not valid' },
  invalid_code: {
    status: 401,
    zh: 'code无效，请重新登录',
    en: 'The code is not valid; call wx.login again',
    challenge: CODE_CHALLENGE,
  },
  code_used: {
    status: 401,
    zh: 'code已被使用，请重新登录',
    en: 'The code was already used; call wx.login again',
    challenge: CODE_CHALLENGE,
  },
  unauthorized: {
    status: 401,
    zh: '未登录或登录已失效',
    en: 'Not logged in, or the login has ended',
    challenge: TOKEN_CHALLENGE,
  },
  phone_code_invalid: {
    status: 401,
    zh: '手机号验证已失效，请重新获取',
    en: 'The phone code is not valid; let the member tap the button again',
    challenge: PHONE_CODE_CHALLENGE,
  },
  login_blocked: {
    status: 403,
    zh: '该微信用户被限制登录',
    en: 'WeChat has blocked this user from logging in',
  },
  user_banned: { status: 403, zh: '账号已被封禁', en: 'This account is banned' },
  account_closing: {
    status: 403,
    zh: '账号正在注销，可重新登录以恢复',
    en: 'This account is closing; log in with restore to bring it back',
  },
  token_revoked: { status: 403, zh: '登录已失效，请重新登录', en: 'This login was revoked; log in again' },
  forbidden: { status: 403, zh: '禁止访问', en: 'Forbidden' },
  not_found: { status: 404, zh: '接口不存在', en: 'No such route' },
  method_not_allowed: { status: 405, zh: '请求方法不支持', en: 'This method is not allowed here' },
  payload_too_large: { status: 413, zh: '请求体过大', en: 'The request body is too large' },
  unsupported_media_type: {
    status: 415,
    zh: '不支持的Content-Type',
    en: 'Send JSON or application/x-www-form-urlencoded',
  },
  content_rejected: {
    status: 422,
    zh: '内容含有违规信息，请修改后重试',
    en: 'This text is not allowed; change it and try again',
  },
  rate_limited: {
    status: 429,
    zh: '请求过于频繁，请稍后再试',
    en: 'Too many requests; try again later',
    retryAfterSeconds: 10,
  },
  internal: { status: 500, zh: '服务器内部错误', en: 'Internal error' },
  unavailable: {
    status: 503,
    zh: '服务暂不可用，请稍后再试',
    en: 'The service is unavailable; try again later',
    retryAfterSeconds: 2,
  },
  wechat_unavailable: { status: 503, zh: '微信调用失败', en: 'The call to WeChat failed' },
  wechat_misconfigured: { status: 503, zh: '微信调用失败', en: 'The call to WeChat failed' },
} as const satisfies Record<string, ErrorEntry>;

/** The stable name of an error, as it appears in the envelope's `error`. */
export type ErrorCode = keyof typeof errorCatalogue;

/** Both texts of an error: what API Gateway sends by itself, because it cannot look at `Accept-Language`. */
export const bothTexts = (error: ErrorCode): string =>
  `${errorCatalogue[error].zh} / ${errorCatalogue[error].en}`;

/** The one text of every denial of a token: API Gateway knows the name of the reason, and no more. */
export const DENIAL_TEXT = '登录已失效或账号已被封禁 / This login has ended, or the account is banned';

/** The errors that a call to WeChat can end in. */
export type WechatErrorCode = Extract<
  ErrorCode,
  | 'invalid_code'
  | 'code_used'
  | 'login_blocked'
  | 'phone_code_invalid'
  | 'content_rejected'
  | 'rate_limited'
  | 'wechat_unavailable'
  | 'wechat_misconfigured'
>;
