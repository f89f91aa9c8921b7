/** The error of a token that is none: thrown by who reads or verifies it, and turned into a 401. */
import type { RefusalReason } from '../contracts/metrics.ts';
import { DomainError } from '../errors/domain-error.ts';

/** An `unauthorized` because of the token itself, and not of its login or its user. */
export class TokenRefusal extends DomainError {
  override readonly name = 'TokenRefusal';
  declare readonly code: 'unauthorized';
  declare readonly reason: RefusalReason;

  constructor(reason: RefusalReason) {
    super('unauthorized', { reason });
  }
}
