/** The one refusal of a push message: from outside, every reason looks the same. */
import type { PushRefusalReason } from '../contracts/metrics.ts';
import { DomainError } from '../errors/domain-error.ts';

/** A push message that is not acted on: the response has status 401. */
export class PushRefusal extends DomainError {
  override readonly name = 'PushRefusal';
  readonly why: PushRefusalReason;

  constructor(why: PushRefusalReason) {
    super('unauthorized', { reason: `push message refused: ${why}` });
    this.why = why;
  }
}
