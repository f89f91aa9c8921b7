/** How a phone number is shown: so that its owner recognizes it, and nobody else can call it. */
import type { BoundPhone } from './user.ts';

/**
 * `+86 138******00`: WeChat's rule for displays. The country code is shown in full; of ten digits or more the first
 * three and the last two, of fewer the first two and the last two, and of four or fewer none.
 * https://developers.weixin.qq.com/miniprogram/dev/framework/security.html
 */
export function maskPhone({ e164, countryCode }: Pick<BoundPhone, 'e164' | 'countryCode'>): string {
  const nationalNumber = e164.slice(`+${countryCode}`.length);
  const first = nationalNumber.length >= 10 ? 3 : 2;
  const hidden = nationalNumber.length - first - 2;
  const shown =
    hidden > 0
      ? `${nationalNumber.slice(0, first)}${'*'.repeat(hidden)}${nationalNumber.slice(-2)}`
      : '*'.repeat(nationalNumber.length);
  return `+${countryCode} ${shown}`;
}
