/** How WeChat words its errors: a number, a text, and the id of the request. */
import { randomBytes } from 'node:crypto';

/** JSON as WeChat words it: the body of a request, what was requested, or an error. */
export type WechatJson = Readonly<Record<string, unknown>>;

/** An error with WeChat's own text for it, or with `errmsg`. */
export type ErrorResponse = (errcode: number, errmsg?: string) => WechatJson;

/** The texts of WeChat's pages, and as seen in the field. */
const texts: Readonly<Record<number, string>> = {
  [-1]: 'system error',
  40001: 'invalid credential, access_token is invalid or not latest',
  40002: 'invalid grant_type',
  40003: 'invalid openid',
  40013: 'invalid appid',
  40014: 'invalid access_token',
  40029: 'invalid code',
  40125: 'invalid appsecret',
  40129: 'invalid scene',
  40163: 'code been used',
  40164: 'invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist',
  40226: 'code blocked',
  40243: 'appsecret is frozen',
  41001: 'access_token missing',
  41002: 'appid missing',
  41004: 'appsecret missing',
  41008: 'missing code',
  42001: 'access_token expired',
  43002: 'require POST method',
  44002: 'empty post data',
  44991: 'reach max api minute frequence',
  45009: 'reach max api daily quota limit',
  45011: 'api minute-quota reach limit  mustslower  retry next minute',
  47001: 'data format error',
  48001: 'api unauthorized',
  50002: 'user limited',
  61010: 'code is expired',
  87014: 'risky content',
};

/** `sns` routes separate the id with a comma, the others with a space. */
export function createErrorResponse(separator: ', ' | ' ', now: () => number): ErrorResponse {
  return (errcode, errmsg = texts[errcode] ?? 'unknown error') => {
    // The first group of a rid is the Unix time in hex.
    const time = Math.floor(now() / 1000).toString(16);
    const rid = [time, randomBytes(4).toString('hex'), randomBytes(4).toString('hex')].join('-');
    return { errcode, errmsg: `${errmsg}${separator}rid: ${rid}` };
  };
}
