/** The login itself: a code becomes an openid at WeChat, the openid a user here, the user a token. */
import { randomUUID } from 'node:crypto';
import { type Clock, unixSeconds } from '../contracts/clock.ts';
import type { WechatErrorCode } from '../contracts/errors.ts';
import type { Profile } from '../contracts/http/profile.ts';
import type { ResponseOf } from '../contracts/routes.ts';
import { DomainError } from '../errors/domain-error.ts';
import type { TokenMinter } from '../tokens/mint.ts';
import type { Revocations } from '../tokens/revocations.ts';
import type { Users } from '../users/find-or-create.ts';
import { type AppSecrets, withNewestSecret } from '../wechat/app-secrets.ts';
import type { Code2Session, Code2SessionInput } from '../wechat/code2session.ts';
import { ERRCODE, WechatError } from '../wechat/errcodes.ts';
import type { WechatIdentity } from '../wechat/identity.ts';
import type { ArrivedCode, Exchange, SpentCodes } from './spent-codes.ts';

export interface LogInOptions {
  readonly wechat: { readonly code2Session: Code2Session };
  readonly appSecrets: AppSecrets;
  readonly users: Pick<Users, 'findOrCreateUser'>;
  readonly spentCodes: SpentCodes;
  readonly revocations: Pick<Revocations, 'statusOf'>;
  readonly tokens: TokenMinter;
  readonly now: Clock;
}

/** A code of a mini-program, and the profile that a new user starts with. */
interface LoginRequest extends ArrivedCode {
  readonly profile: Profile;
  /** Opens a closed account again. Default: its login is refused. */
  readonly restore?: boolean;
}

/** What is known of a login so far: filled in on the way, so that a login that fails leaves it too. Safe to log. */
export interface LoginTrace {
  user_id?: string;
  is_new?: boolean;
  /** The code had been exchanged a moment ago, and stands for that login. */
  code_repeated?: boolean;
  /** The record that makes a repeated code work could not be kept. */
  spent_code_lost?: boolean;
  /** How the exchange of the code ended, whatever became of the login. */
  wechat_outcome?: 'ok' | WechatErrorCode;
  /** WeChat's host that responded. */
  wechat_host?: string;
  /** Milliseconds spent waiting for WeChat, over all calls. */
  wechat_ms?: number;
  /** Age of the key that signed the token. */
  key_age_seconds?: number;
}

/**
 * Logs a user in.
 *
 * @throws DomainError `invalid_code`, `code_used`, `login_blocked`, `user_banned`, `account_closing`, `rate_limited`,
 *   `wechat_unavailable`, `wechat_misconfigured`, `unavailable`
 */
export type LogIn = (request: LoginRequest, trace: LoginTrace) => Promise<ResponseOf<'POST /member/login'>>;

export function createLogIn(options: LogInOptions): LogIn {
  const { wechat, appSecrets, users, spentCodes, revocations, tokens, now } = options;

  async function callWechat(input: Code2SessionInput, trace: LoginTrace): Promise<WechatIdentity> {
    const startedAt = performance.now();
    try {
      const { host, ...identity } = await wechat.code2Session(input);
      trace.wechat_host = host;
      return identity;
    } catch (error) {
      // Stands if the login then fails for a reason that is not WeChat's.
      if (error instanceof WechatError) trace.wechat_outcome = error.code;
      throw error;
    } finally {
      trace.wechat_ms = (trace.wechat_ms ?? 0) + Math.round(performance.now() - startedAt);
    }
  }

  /**
   * Exchanges the code, or finds the exchange of a moment ago that it repeats: the response was lost on its way, or
   * the user tapped twice.
   */
  async function exchange(code: ArrivedCode, trace: LoginTrace): Promise<Exchange> {
    // Before the call: what ends all logins of a user ends one that is under way, too.
    const exchangedAt = unixSeconds(now);
    try {
      const identity = await withNewestSecret(appSecrets, code.appid, (secret) =>
        callWechat({ ...code, secret }, trace),
      );
      trace.wechat_outcome = 'ok';
      return { identity, exchangedAt, sid: randomUUID() };
    } catch (error) {
      if (!(error instanceof WechatError)) throw error;
      trace.wechat_outcome = error.code;
      const repeated = await exchangeBefore(code, error.errcode);
      if (repeated === undefined) throw error;
      trace.code_repeated = true;
      return repeated;
    }
  }

  /** Only the one errcode proves that somebody has used the code; the other is also what any invented code gets. */
  async function exchangeBefore(code: ArrivedCode, errcode?: number): Promise<Exchange | undefined> {
    if (errcode === ERRCODE.codeUsed) return spentCodes.awaitTwin(code);
    if (errcode === ERRCODE.invalidCode) return spentCodes.recall(code);
    return undefined;
  }

  /** Never rejects: a login must not fail because of a record that only a repeated code needs. */
  async function remember(code: ArrivedCode, exchange: Exchange, trace: LoginTrace): Promise<void> {
    await spentCodes.remember(code, exchange).catch(() => {
      trace.spent_code_lost = true;
    });
  }

  /** What ended the login that a repeated code stands for ends the code. */
  async function refuseEnded(userId: string, { sid, exchangedAt }: Exchange): Promise<void> {
    const status = await revocations.statusOf({ loginId: sid, userId, authTime: exchangedAt });
    if (status === 'user_banned') throw new DomainError('user_banned');
    if (status === 'token_revoked')
      throw new DomainError('code_used', { reason: 'the login of this code has ended' });
  }

  return async ({ appid, code, profile, restore = false }, trace) => {
    tokens.prepare();
    const exchanged = await exchange({ appid, code }, trace);
    const { identity, exchangedAt: authTime, sid } = exchanged;
    const repeatedCode = trace.code_repeated === true;
    const remembered = repeatedCode ? undefined : remember({ appid, code }, exchanged, trace);
    try {
      const { user, isNew } = await users.findOrCreateUser({ appid, ...identity }, profile, {
        repeatedCode,
        restore,
      });
      const { userId } = user;
      trace.user_id = userId;
      trace.is_new = isNew;
      if (repeatedCode) await refuseEnded(userId, exchanged);
      const { token, expiresIn, keyAgeSeconds } = await tokens.mint({ userId, appid, sid, authTime });
      trace.key_age_seconds = keyAgeSeconds;
      return {
        user_id: userId,
        username: user.username,
        avatar: user.avatar,
        sex: user.sex,
        is_new: isNew,
        token,
        token_type: 'Bearer',
        expires_in: expiresIn,
      };
    } finally {
      // Beside the signature. Of a login that fails here, too: Lambda would freeze the write, and the repetition needs its
      // record.
      await remembered;
    }
  };
}
