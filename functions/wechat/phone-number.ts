/** The phone number behind a code of the getPhoneNumber button, for the member who tapped it and for nobody else. */
import * as v from 'valibot';
import type { AccessTokens } from './access-token.ts';
import type { WechatConnection } from './connection.ts';
import { ERRCODE, WechatError } from './errcodes.ts';

/** A phone number as E.164 has it: at most 15 digits together. */
export interface PhoneNumber {
  /** `+8613800138000`. */
  readonly e164: string;
  /** Digits, without a plus. */
  readonly countryCode: string;
}

interface PhoneCodeInput {
  readonly appid: string;
  /** Of the member who sent the code: WeChat checks that the code is theirs. Without it anybody's code would do. */
  readonly openid: string;
  /** Of the button's event; single use, five minutes. No `wx.login` code. */
  readonly code: string;
}

/**
 * Trades a code for the phone number.
 *
 * @throws WechatError `phone_code_invalid`, `rate_limited`, `wechat_unavailable`, `wechat_misconfigured`; nothing
 * secret or personal in it
 * @throws DomainError `unavailable` when the AppSecrets cannot be read
 */
export type GetPhoneNumber = (input: PhoneCodeInput) => Promise<PhoneNumber>;

/**
 * What says that this code is not this member's, or not any more. The errcode for somebody else's code is not
 * documented, so whatever WeChat may say of an openid or appid counts: both are right, the code is not.
 */
const meanings = {
  [ERRCODE.invalidCode]: 'phone_code_invalid',
  [ERRCODE.codeUsed]: 'phone_code_invalid',
  [ERRCODE.invalidAppid]: 'phone_code_invalid',
  [ERRCODE.openidInvalid]: 'phone_code_invalid',
  [ERRCODE.openidOfAnotherApp]: 'phone_code_invalid',
  // The button needs a certified mini-program.
  [ERRCODE.apiUnauthorized]: 'wechat_misconfigured',
} as const;

/** Documented as a string; older examples have the number. */
const digits = v.union([v.string(), v.pipe(v.number(), v.safeInteger(), v.transform(String))]);

const phoneInfo = v.pipe(
  v.object({
    countryCode: v.pipe(digits, v.regex(/^[1-9]\d{0,2}$/)),
    purePhoneNumber: v.pipe(digits, v.regex(/^\d{4,14}$/)),
    watermark: v.object({ appid: v.string() }),
  }),
  v.check(({ countryCode, purePhoneNumber }) => countryCode.length + purePhoneNumber.length <= 15),
);
const phoneResponse = v.object({ phone_info: phoneInfo });

/** https://developers.weixin.qq.com/miniprogram/dev/server/API/user-info/phone-number/api_getphonenumber.html */
export function createGetPhoneNumber(options: {
  readonly connection: Pick<WechatConnection, 'call'>;
  readonly accessTokens: AccessTokens;
}): GetPhoneNumber {
  const { connection, accessTokens } = options;
  return async ({ appid, openid, code }) => {
    const { phone_info: info, host } = await accessTokens.withAccessToken(appid, (access_token) =>
      connection.call({
        path: '/wxa/business/getuserphonenumber',
        query: { access_token },
        body: { code, openid },
        schema: phoneResponse,
        expected: 'phone number',
        meanings,
      }),
    );
    if (info.watermark.appid !== appid) {
      throw new WechatError('phone_code_invalid', {
        reason: 'WeChat says that the phone number is for another mini-program',
        host,
      });
    }
    const { countryCode, purePhoneNumber } = info;
    return { e164: `+${countryCode}${purePhoneNumber}`, countryCode };
  };
}
