/** The login itself: a code becomes an openid at WeChat, the openid a user here, the user a token. */
import type { TokenMinter } from '../tokens/mint.ts';
import type { Users } from '../users/find-or-create.ts';
import type { Profile } from '../users/profile.ts';
import type { AppSecrets } from '../wechat/app-secrets.ts';
import type { WechatClient } from '../wechat/code2session.ts';
import { WechatError, type WechatErrorCode } from '../wechat/errcodes.ts';
import type { ResolvedCode, SpentCodes } from './spent-codes.ts';

/** What a login needs; real parts in the Lambda, others in tests. */
export interface LogInDependencies {
  readonly wechat: Pick<WechatClient, 'code2Session'>;
  readonly appSecrets: AppSecrets;
  readonly users: Pick<Users, 'findOrCreateUser'>;
  readonly spentCodes: Pick<SpentCodes, 'remember' | 'awaitTwin'>;
  readonly tokens: TokenMinter;
}

/** One login: a code of a mini-program, and the profile a new user starts with. */
export interface LoginRequest {
  readonly appid: string;
  readonly code: string;
  readonly profile: Profile;
}

/** What the mini-program gets. */
export interface LoginResult {
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

/** What is worth a place in the log line of a login. */
export interface LoginTrace {
  user_id?: string;
  is_new?: boolean;
  /** The code had been exchanged a moment ago, and the same user was logged in again. */
  code_repeated?: boolean;
  /** The record that makes a repeated code work could not be kept. */
  spent_code_lost?: boolean;
  /** How the exchange of the code ended, whatever became of the login. */
  wechat_outcome?: 'ok' | WechatErrorCode;
  /** Milliseconds that WeChat was asked for. */
  wechat_ms?: number;
  /** Age of the key that signed the token. */
  key_age_seconds?: number;
}

/**
 * Creates the login.
 *
 * The answered function throws DomainError with the codes of the routes' contract: `invalid_code`, `code_used`,
 * `login_blocked`, `user_banned`, `rate_limited`, `wechat_unavailable`, `wechat_misconfigured`, `unavailable`.
 */
export function createLogIn(
  dependencies: LogInDependencies,
): (request: LoginRequest, trace: LoginTrace) => Promise<LoginResult> {
  const { users, spentCodes, tokens } = dependencies;
  return async ({ appid, code, profile }, trace) => {
    tokens.prepare();
    const { identity, repeated } = await identify(dependencies, { appid, code }, trace);
    const [{ user, isNew }] = await Promise.all([
      users.findOrCreateUser({ appid, ...identity }, profile),
      // A login must not fail for the want of a record that only a repeated code needs.
      repeated ||
        spentCodes.remember({ appid, code }, identity).catch(() => {
          trace.spent_code_lost = true;
        }),
    ]);
    trace.user_id = user.userId;
    trace.is_new = isNew;
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

/**
 * Who the code stands for. A code that WeChat calls used may be one that we exchanged ourselves a moment ago:
 * the answer was lost on its way, or the user tapped twice.
 */
async function identify(
  dependencies: LogInDependencies,
  request: { readonly appid: string; readonly code: string },
  trace: LoginTrace,
): Promise<{ identity: ResolvedCode; repeated: boolean }> {
  try {
    const identity = await exchange(dependencies, request, trace);
    trace.wechat_outcome = 'ok';
    return { identity, repeated: false };
  } catch (error) {
    if (!(error instanceof WechatError)) throw error;
    trace.wechat_outcome = error.code;
    if (error.code !== 'code_used') throw error;
    const identity = await dependencies.spentCodes.awaitTwin(request);
    if (identity === undefined) throw error;
    trace.code_repeated = true;
    return { identity, repeated: true };
  }
}

/** WeChat's errcode for an AppSecret that is not, or no longer, right. */
const INVALID_APPSECRET = 40125;

/** An AppSecret that was reset in the console and filled in here works at once, not after the next refresh. */
async function exchange(
  { wechat, appSecrets }: LogInDependencies,
  { appid, code }: { readonly appid: string; readonly code: string },
  trace: LoginTrace,
): Promise<ResolvedCode> {
  const ask = async (secret: string): Promise<ResolvedCode> => {
    const startedAt = performance.now();
    try {
      return await wechat.code2Session({ appid, secret, code });
    } finally {
      trace.wechat_ms = (trace.wechat_ms ?? 0) + Math.round(performance.now() - startedAt);
    }
  };
  const secret = await appSecrets.secretFor(appid);
  try {
    return await ask(secret);
  } catch (error) {
    if (!(error instanceof WechatError) || error.errcode !== INVALID_APPSECRET) throw error;
    // Stands if the renewal fails for a reason that is not WeChat's.
    trace.wechat_outcome = error.code;
    const renewed = await appSecrets.renewedSecretFor(appid);
    if (renewed === secret) throw error;
    return ask(renewed);
  }
}
