/** The one verdict on a token: every kind of authorizer asks this and only words the answer differently. */
import type { AuthorizerContext, VerifiedToken } from '../contracts/token.ts';
import { type RefusalReason, TokenRefusal } from '../tokens/refusal.ts';
import type { Revocations } from '../tokens/revocations.ts';
import type { TokenVerifier } from '../tokens/verify.ts';

/** The bearer may pass. */
export interface Allowance {
  readonly outcome: 'allow';
  readonly token: VerifiedToken;
}

/** There is no valid token (401). */
export interface Refusal {
  readonly outcome: 'refuse';
  readonly reason: RefusalReason;
}

/** The token is ours and intact, and its bearer may not pass all the same (403). */
export interface Denial {
  readonly outcome: 'deny';
  readonly error: 'token_revoked' | 'user_banned';
  readonly token: VerifiedToken;
}

/** The verdict on a token. */
export type Decision = Allowance | Refusal | Denial;

/**
 * Decides on the text of a token.
 *
 * @throws DomainError `unavailable`, or the error of a bug, when there is no verdict: neither a yes nor a no
 */
export type Decide = (token: string) => Promise<Decision>;

/** What {@link createDecide} needs. */
export interface DecideOptions {
  readonly verifier: TokenVerifier;
  /** Default: a token that was issued stays good until it expires. */
  readonly revocations?: Pick<Revocations, 'statusOf'> | undefined;
}

/** Creates a {@link Decide}. */
export function createDecide({ verifier, revocations }: DecideOptions): Decide {
  return async (text) => {
    let token: VerifiedToken;
    try {
      token = await verifier.verify(text);
    } catch (error) {
      return refusalFrom(error);
    }
    const status = (await revocations?.statusOf(token)) ?? 'active';
    return status === 'active' ? { outcome: 'allow', token } : { outcome: 'deny', error: status, token };
  };
}

/**
 * The verdict that a {@link TokenRefusal} of the header or of the token stands for.
 *
 * @throws the error itself when it is any other: it says nothing about the token
 */
export function refusalFrom(error: unknown): Refusal {
  if (!(error instanceof TokenRefusal)) throw error;
  return { outcome: 'refuse', reason: error.reason };
}

/** What an authorizer tells the back end about an allowed token. */
export function contextOf(token: VerifiedToken): AuthorizerContext {
  return {
    user_id: token.userId,
    appid: token.appid,
    jti: token.jti,
    auth_time: String(token.authTime),
    expires_at: String(token.expiresAt),
  };
}
