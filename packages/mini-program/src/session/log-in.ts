/** A login at the service: one code, the same code again when its response was lost, then one fresh code. */
import type { ProfileChanges } from '../api-types.ts';
import { hasCode, isLost } from '../login-error.ts';

/** What a login may say beside its code. */
export interface LoginOptions {
  /** Logs in although there is a session. */
  readonly force?: boolean;
  /** What a new user's profile starts with. Only sent when this call logs in. */
  readonly profile?: ProfileChanges;
  /** Brings back an account whose deletion still waits (`account_closing`). */
  readonly restore?: boolean;
}

/** What a login calls. */
export interface LogInDependencies<T> {
  /** A fresh code of `wx.login`. */
  readonly getCode: () => Promise<string>;
  readonly post: (code: string) => Promise<T>;
  /** @throws LoginError once nobody waits for this login: a logout came between. */
  readonly stillWanted: () => void;
}

/** Milliseconds from the first POST of a code in which the service takes the code again. */
const REPEAT_WINDOW = 60_000;

/** Logs in with at most two codes, each sent at most twice. @throws LoginError. */
export async function logIn<T>(dependencies: LogInDependencies<T>): Promise<T> {
  const { getCode, post, stillWanted } = dependencies;
  for (let codes = 1; ; codes++) {
    const code = await getCode();
    stillWanted();
    const firstSentAt = Date.now();
    for (let posts = 1; ; posts++) {
      try {
        return await post(code);
      } catch (error) {
        stillWanted();
        // The service may have done what we got no response to; the same code then finds the same user.
        if (isLost(error) && posts === 1 && Date.now() - firstSentAt < REPEAT_WINDOW) continue;
        if (codes === 1 && wantsFreshCode(error)) break;
        throw error;
      }
    }
  }
}

function wantsFreshCode(error: unknown): boolean {
  return isLost(error) || hasCode(error, /^(code_used|invalid_code)$/);
}
