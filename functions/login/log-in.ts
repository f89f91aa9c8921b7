/** The login itself: a code becomes an openid at WeChat, the openid a user here, the user a token. */
import type { WechatErrorCode } from '../contracts/errors.ts';
import type { TokenMinter } from '../tokens/mint.ts';
import type { Users } from '../users/find-or-create.ts';
import type { Profile } from '../users/profile.ts';
import { type AppSecrets, withNewestSecret } from '../wechat/app-secrets.ts';
import type { Code2Session, Code2SessionInput } from '../wechat/code2session.ts';
import { WechatError } from '../wechat/errcodes.ts';
import type { WechatIdentity } from '../wechat/identity.ts';
import type { ArrivedCode, SpentCodes } from './spent-codes.ts';

export interface LogInOptions {
  readonly wechat: { readonly code2Session: Code2Session };
  readonly appSecrets: AppSecrets;
  readonly users: Pick<Users, 'findOrCreateUser'>;
  readonly spentCodes: Pick<SpentCodes, 'remember' | 'awaitTwin'>;
  readonly tokens: TokenMinter;
}

/** A code of a mini-program, and the profile that a new user starts with. */
interface LoginRequest extends ArrivedCode {
  readonly profile: Profile;
}

/** What the mini-program gets. */
interface LoginResult {
  readonly user_id: string;
  readonly username: string;
  readonly avatar: string;
  readonly sex: number;
  readonly is_new: boolean;
  readonly token: string;
  readonly token_type: 'Bearer';
  /** Seconds. */
  readonly expires_in: number;
}

/** What is known of a login so far: filled in on the way, so that a login that fails leaves it too. Safe to log. */
export interface LoginTrace {
  user_id?: string;
  is_new?: boolean;
  /** The code had been exchanged a moment ago, and the same user was logged in again. */
  code_repeated?: boolean;
  /** The record that makes a repeated code work could not be kept. */
  spent_code_lost?: boolean;
  /** How the exchange of the code ended, whatever became of the login. */
  wechat_outcome?: 'ok' | WechatErrorCode;
  /** Which of WeChat's hosts answered, counted from 0 in the order of the setting. */
  wechat_host?: number;
  /** Milliseconds spent waiting for WeChat, over all calls. */
  wechat_ms?: number;
  /** Age of the key that signed the token. */
  key_age_seconds?: number;
}

/**
 * Logs a user in.
 *
 * @throws DomainError `invalid_code`, `code_used`, `login_blocked`, `user_banned`, `rate_limited`,
 *   `wechat_unavailable`, `wechat_misconfigured`, `unavailable`
 */
export type LogIn = (request: LoginRequest, trace: LoginTrace) => Promise<LoginResult>;

export function createLogIn(options: LogInOptions): LogIn {
  const { wechat, appSecrets, users, spentCodes, tokens } = options;

  async function exchange(input: Code2SessionInput, trace: LoginTrace): Promise<WechatIdentity> {
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
   * Whom the code belongs to. A code that WeChat calls used may be one that we exchanged ourselves a moment ago: the
   * response was lost on its way, or the user tapped twice.
   */
  async function identify(code: ArrivedCode, trace: LoginTrace): Promise<WechatIdentity> {
    try {
      const identity = await withNewestSecret(appSecrets, code.appid, (secret) =>
        exchange({ ...code, secret }, trace),
      );
      trace.wechat_outcome = 'ok';
      return identity;
    } catch (error) {
      if (!(error instanceof WechatError)) throw error;
      trace.wechat_outcome = error.code;
      const twin = error.code === 'code_used' ? await spentCodes.awaitTwin(code) : undefined;
      if (twin === undefined) throw error;
      trace.code_repeated = true;
      return twin;
    }
  }

  /** Never rejects: a login must not fail because of a record that only a repeated code needs. */
  async function remember(code: ArrivedCode, identity: WechatIdentity, trace: LoginTrace): Promise<void> {
    await spentCodes.remember(code, identity).catch(() => {
      trace.spent_code_lost = true;
    });
  }

  return async ({ appid, code, profile }, trace) => {
    tokens.prepare();
    const identity = await identify({ appid, code }, trace);
    const remembered = trace.code_repeated ? undefined : remember({ appid, code }, identity, trace);
    const { user, isNew } = await users.findOrCreateUser({ appid, ...identity }, profile);
    trace.user_id = user.userId;
    trace.is_new = isNew;
    await remembered;
    const { token, expiresIn, keyAgeSeconds } = await tokens.mint({ userId: user.userId, appid });
    trace.key_age_seconds = keyAgeSeconds;
    return {
      user_id: user.userId,
      username: user.username,
      avatar: user.avatar,
      sex: user.sex,
      is_new: isNew,
      token,
      token_type: 'Bearer',
      expires_in: expiresIn,
    };
  };
}
