/** Codes for the bench's logins, from the WeChat simulator. */
import { randomBytes } from 'node:crypto';

/** One user's `wx.login`: the code may be exchanged once. */
export type NextCode = () => Promise<string>;

export const newOpenid = (): string => `o${randomBytes(20).toString('base64url')}`;

export function wxLogin(simulatorUrl: string, openid: string): NextCode {
  return async () => {
    const response = await fetch(`${simulatorUrl}/__sim/codes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ openid }),
    });
    return ((await response.json()) as { code: string }).code;
  };
}
