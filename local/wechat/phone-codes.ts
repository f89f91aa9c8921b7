/** The codes of the getPhoneNumber button, and the rules of `getuserphonenumber`. */
import { randomBytes } from 'node:crypto';
import type { ErrorResponse, WechatJson } from './error-responses.ts';

/** Whose number a code stands for. */
export interface PhoneOwner {
  /** Who tapped the button. Default: whoever sends the code. */
  readonly openid?: string;
  /** Without the country code. Default: 13800138000. */
  readonly phone?: string;
  /** Default: 86. */
  readonly countryCode?: string;
  /** Default: the first mini-program. */
  readonly appid?: string;
}

interface IssuedPhoneCode extends Required<Omit<PhoneOwner, 'openid'>> {
  readonly openid: string | undefined;
  readonly expiresAt: number;
}

const CODE_LIFETIME_MS = 5 * 60_000;
const MAX_CODES = 10_000;

export function createPhoneCodes(options: {
  readonly firstAppid: string;
  readonly now: () => number;
  readonly errorResponse: ErrorResponse;
}) {
  const { firstAppid, now, errorResponse } = options;
  const codes = new Map<string, IssuedPhoneCode>();

  const invalidCode = (): WechatJson =>
    errorResponse(40029, `invalid code hint: [${randomBytes(8).toString('hex')}]`);

  return {
    /** Issues a code: 64 hex digits, single use, five minutes. */
    issue({ openid, phone = '13800138000', countryCode = '86', appid = firstAppid }: PhoneOwner): string {
      // Oldest first: a Map keeps the order of insertion, and all codes live equally long.
      for (const [code, { expiresAt }] of codes) {
        if (expiresAt > now() && codes.size < MAX_CODES) break;
        codes.delete(code);
      }
      const code = randomBytes(32).toString('hex');
      codes.set(code, { openid, phone, countryCode, appid, expiresAt: now() + CODE_LIFETIME_MS });
      return code;
    },

    /** Which errcode WeChat has for the code of another openid is not documented; here it is one like every other. */
    getUserPhoneNumber(appid: string, { code, openid }: WechatJson): WechatJson {
      const issued = typeof code === 'string' ? codes.get(code) : undefined;
      if (typeof code !== 'string' || issued === undefined || issued.expiresAt <= now()) return invalidCode();
      if (issued.appid !== appid) return errorResponse(40013);
      if (issued.openid !== undefined && openid !== undefined && openid !== issued.openid)
        return invalidCode();
      codes.delete(code);
      const { phone, countryCode } = issued;
      return {
        errcode: 0,
        errmsg: 'ok',
        phone_info: {
          phoneNumber: countryCode === '86' ? phone : `+${countryCode}${phone}`,
          purePhoneNumber: phone,
          countryCode,
          watermark: { timestamp: Math.floor(now() / 1000), appid },
        },
      };
    },
  };
}
