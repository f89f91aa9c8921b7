/** The rules that a request may break, once: the error that says so, and what it says beyond its own text. */
import type { ErrorCode } from '../errors.ts';

/** One rule, as whoever broke it is told: the member and the rule, never the value. */
interface RuleEntry {
  readonly error: ErrorCode;
  /** Shown after the error's own text; absent where that says all. */
  readonly detail?: { readonly zh: string; readonly en: string };
}

export const requestRules = {
  utf8: { error: 'invalid_request', detail: { zh: '请求体不是UTF-8编码', en: 'the body is not UTF-8' } },
  json: { error: 'invalid_request', detail: { zh: '请求体不是合法的JSON', en: 'the body is not JSON' } },
  json_object: {
    error: 'invalid_request',
    detail: { zh: '请求体必须是JSON对象', en: 'the body must be a JSON object' },
  },
  field_once: { error: 'invalid_request', detail: { zh: '表单字段重复', en: 'a form field is given twice' } },
  charset: {
    error: 'unsupported_media_type',
    detail: { zh: 'charset必须是utf-8', en: 'charset must be utf-8' },
  },
  media_type: { error: 'unsupported_media_type' },
  body_size: { error: 'payload_too_large' },
  code: { error: 'missing_code' },
  code_text: { error: 'invalid_request', detail: { zh: 'code必须是字符串', en: 'code must be a string' } },
  code_characters: {
    error: 'invalid_request',
    detail: {
      zh: 'code含有非法字符或过长',
      en: 'code has characters that no code has, or is too long',
    },
  },
  /** What the developer tools hand out in place of a code when the project has no AppID. */
  code_not_mock: {
    error: 'invalid_code',
    detail: { zh: '开发者工具需要填写AppID', en: 'give the developer tools project an AppID' },
  },
  appid: {
    error: 'invalid_request',
    detail: { zh: 'appid不属于本服务', en: 'appid is not one that this service serves' },
  },
  referer: {
    error: 'invalid_request',
    detail: {
      zh: 'Referer中的小程序不属于本服务，请将其AppID加入服务配置，或在请求中用appid指明小程序',
      en: 'the Referer names a mini-program that this service does not serve: add its AppID to the setting appids, or name one that is served as appid',
    },
  },
  restore: {
    error: 'invalid_request',
    detail: { zh: 'restore必须是true或false', en: 'restore must be true or false' },
  },
  all: { error: 'invalid_request', detail: { zh: 'all必须是true或false', en: 'all must be true or false' } },
  nickname: {
    error: 'invalid_request',
    detail: {
      zh: 'nickname最多64个字符，不能含有控制字符，也不能是“微信用户”',
      en: 'nickname must be at most 64 visible characters, and not the placeholder of WeChat',
    },
  },
  sex: { error: 'invalid_request', detail: { zh: 'sex必须是0、1或2', en: 'sex must be 0, 1 or 2' } },
  avatar: {
    error: 'invalid_request',
    detail: {
      zh: 'avatar必须是https地址，最长2048个字符',
      en: 'avatar must be an https URL of at most 2048 characters',
    },
  },
  profile_named: {
    error: 'invalid_request',
    detail: { zh: '请提供nickname、sex或avatar', en: 'name at least one of nickname, sex and avatar' },
  },
} as const satisfies Record<string, RuleEntry>;

/** The name of a rule; the schemas of requests give it as the message of an issue. */
export type RequestRule = keyof typeof requestRules;

/** The entry of a rule. */
export const ruleEntry = (rule: RequestRule): RuleEntry => requestRules[rule];
