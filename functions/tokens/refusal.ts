/** Why a token is refused, as a closed set of words: they are counted, so none may come from outside. */
import { DomainError } from '../errors/domain-error.ts';

/** Why there is no valid token: stable words, safe to log and to count. */
export type RefusalReason =
  | 'missing_token'
  | 'duplicate_header'
  | 'malformed'
  | 'bad_header'
  | 'wrong_algorithm'
  | 'wrong_type'
  | 'unknown_key'
  | 'bad_signature'
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'not_yet_valid'
  | 'expired'
  | 'bad_claims';

/** An `unauthorized` that is a verdict on a token. */
export class TokenRefusal extends DomainError {
  override readonly name = 'TokenRefusal';
  declare readonly code: 'unauthorized';
  declare readonly reason: RefusalReason;

  constructor(reason: RefusalReason) {
    super('unauthorized', { reason });
  }
}
