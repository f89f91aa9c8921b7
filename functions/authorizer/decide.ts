/** The one decision on a token: every kind of API calls this, and differs only in how the decision is put. */
import { contextOf } from '../caller/context.ts';
import type { RefusalReason } from '../contracts/metrics.ts';
import { type AuthorizerContext, loginIdOf, type VerifiedToken } from '../contracts/token.ts';
import { TokenRefusal } from '../tokens/refusal.ts';
import type { Revocations } from '../tokens/revocations.ts';
import type { TokenVerifier } from '../tokens/verify.ts';

/** The member may pass. */
interface Allowance {
  readonly kind: 'allow';
  readonly token: VerifiedToken;
}

/** There is no valid token (401). */
export interface Refusal {
  readonly kind: 'refuse';
  readonly reason: RefusalReason;
}

/** The token is ours and intact, and its user may not pass all the same (403). */
export interface Denial {
  readonly kind: 'deny';
  readonly error: 'token_revoked' | 'user_banned' | 'forbidden';
  readonly token: VerifiedToken;
}

export type Decision = Allowance | Refusal | Denial;

/**
 * Decides on a token.
 *
 * @param readToken reads the token's text from the request, and throws TokenRefusal when there is not exactly one
 * @param allowedByApi mini-programs that the API lets in. Default: all that this authorizer does
 * @throws DomainError `unavailable`, or the error of a bug, when there is no decision
 */
export type Decide = (readToken: () => string, allowedByApi?: readonly string[]) => Promise<Decision>;

interface DecideOptions {
  readonly verifier: TokenVerifier;
  /** Default: a token that was issued stays good until it expires. */
  readonly revocations?: Pick<Revocations, 'statusOf'> | undefined;
  /** Mini-programs whose members may pass. Default: all that the issuer serves. */
  readonly allowedAppids?: readonly string[] | undefined;
}

export function createDecide({ verifier, revocations, allowedAppids }: DecideOptions): Decide {
  return async (readToken, allowedByApi) => {
    try {
      const token = await verifier.verify(readToken());
      const isForbidden = [allowedAppids, allowedByApi].some((list) => list?.includes(token.appid) === false);
      if (isForbidden) return { kind: 'deny', error: 'forbidden', token };
      const status = (await revocations?.statusOf({ ...token, loginId: loginIdOf(token) })) ?? 'active';
      return status === 'active' ? { kind: 'allow', token } : { kind: 'deny', error: status, token };
    } catch (error) {
      if (error instanceof TokenRefusal) return { kind: 'refuse', reason: error.reason };
      throw error;
    }
  };
}

/** What the gateway response of a denial shows: `$context.authorizer.error`. */
export interface DenialContext {
  readonly error: Denial['error'] | 'unauthorized';
}

/** What goes with a decision: who the member is, or why the request was turned away. */
export const contextFor = (decision: Decision): AuthorizerContext | DenialContext =>
  decision.kind === 'allow'
    ? contextOf(decision.token)
    : { error: decision.kind === 'deny' ? decision.error : 'unauthorized' };
