/** What the emulated WeChat knows: mini-programs, codes and their users; and the rules of `jscode2session`. */
import { createHash, randomBytes } from 'node:crypto';
import type { ErrorResponse, WechatJson } from './error-responses.ts';

/** Whom a code is issued for. */
export interface CodeOwner {
  /** Default: a random one, 28 characters. */
  readonly openid?: string;
  /** Default: none, as for a mini-program without an Open Platform account. */
  readonly unionid?: string;
  /** Default: the first mini-program. */
  readonly appid?: string;
  /** A user whom WeChat rates as high risk: the login is refused with 40226. */
  readonly risk?: boolean;
}

/** The state behind the simulator. */
interface WechatAccounts {
  /** Issues a code: 32 letters and digits, single use, five minutes. */
  issueCode(owner: CodeOwner): string;
  /** Whom a code is of, used or not; undefined when nobody has it. */
  openidOf(appid: string, code: string): string | undefined;
  /** Responds to the query of `jscode2session`; the first query that is right consumes the code. */
  code2Session(query: URLSearchParams): WechatJson;
}

interface WechatAccountsOptions {
  /** AppSecret by appid. */
  readonly apps: Readonly<Record<string, string>>;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  /** Calls of one user within a clock minute before 45011. */
  readonly userMinuteLimit: number;
  readonly errorResponse: ErrorResponse;
}

interface IssuedCode {
  readonly appid: string;
  readonly openid: string;
  readonly unionid: string | undefined;
  readonly risk: boolean;
  readonly expiresAt: number;
  used: boolean;
}

const CODE_LIFETIME_MS = 5 * 60_000;
/** Bounds the memory of a long benchmark. */
const MAX_CODES = 100_000;

export function createWechatAccounts(options: WechatAccountsOptions): WechatAccounts {
  const { apps, now, userMinuteLimit, errorResponse } = options;
  const codes = new Map<string, IssuedCode>();
  let minute = { number: 0, callsByUser: new Map<string, number>() };

  const forgetExpiredCodes = () => {
    // Oldest first: a Map keeps the order of insertion, and all codes live equally long.
    for (const [code, { expiresAt }] of codes) {
      if (expiresAt > now() && codes.size < MAX_CODES) return;
      codes.delete(code);
    }
  };

  const overMinuteLimit = (user: string): boolean => {
    const number = Math.floor(now() / 60_000);
    if (minute.number !== number) minute = { number, callsByUser: new Map() };
    const calls = (minute.callsByUser.get(user) ?? 0) + 1;
    if (Number.isFinite(userMinuteLimit)) minute.callsByUser.set(user, calls);
    return calls > userMinuteLimit;
  };

  return {
    issueCode({ openid = randomOpenid(), unionid, appid, risk = false }) {
      forgetExpiredCodes();
      const issuer = appid ?? Object.keys(apps)[0] ?? '';
      const code = `0${randomBytes(24).toString('base64url').replace(/[-_]/g, 'x').slice(0, 31)}`;
      const expiresAt = now() + CODE_LIFETIME_MS;
      codes.set(code, { appid: issuer, openid, unionid, risk, expiresAt, used: false });
      return code;
    },

    openidOf: (appid, code) => (demoCode(appid, code) ?? codes.get(code))?.openid,

    code2Session(query) {
      const appid = query.get('appid');
      const secret = query.get('secret');
      const code = query.get('js_code');
      if (!appid) return errorResponse(41002);
      if (!secret) return errorResponse(41004);
      if (!code) return errorResponse(41008);
      if (query.get('grant_type') !== 'authorization_code') return errorResponse(40002);
      if (!Object.hasOwn(apps, appid)) return errorResponse(40013);
      if (apps[appid] !== secret) return errorResponse(40125);

      const issued = demoCode(appid, code) ?? codes.get(code);
      if (issued === undefined || issued.appid !== appid || issued.expiresAt <= now())
        return errorResponse(40029);
      if (issued.used) return errorResponse(40163);
      if (overMinuteLimit(`${appid} ${issued.openid}`)) return errorResponse(45011);
      issued.used = true;
      if (issued.risk) return errorResponse(40226);
      return {
        session_key: randomBytes(16).toString('base64'),
        openid: issued.openid,
        ...(issued.unionid !== undefined && { unionid: issued.unionid }),
      };
    },
  };
}

/** What the developer tools hand out in place of a code when the project has no AppID. */
const MOCK_CODE = 'the code is a mock one';

/**
 * `demo-<name>`, and the developer tools' mock code, are codes that always work and always mean the same user. WeChat
 * has no such codes.
 */
function demoCode(appid: string, code: string): IssuedCode | undefined {
  if (code !== MOCK_CODE && !/^demo-[A-Za-z0-9_-]{1,64}$/.test(code)) return undefined;
  const openid = `o${createHash('sha256').update(`${appid}\n${code}`).digest('base64url').slice(0, 27)}`;
  return { appid, openid, unionid: undefined, risk: false, expiresAt: Number.POSITIVE_INFINITY, used: false };
}

function randomOpenid(): string {
  return `o${randomBytes(21).toString('base64url').slice(0, 27)}`;
}
