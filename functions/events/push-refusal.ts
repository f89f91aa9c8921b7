/** The one refusal of a push message: from outside, every reason looks the same. */
import { DomainError } from '../errors/domain-error.ts';

/** Why a push message was refused; for the log and the metric alone. */
export type PushRefusalReason =
  /** No Token is filled in for the AppID of the path. */
  | 'not_served'
  /** A parameter of the query is missing, malformed or given twice. */
  | 'unsigned'
  /** The signature is wrong. */
  | 'signature'
  /** Signed too long ago, or ahead of our clock. */
  | 'timestamp'
  /** The signature was used before, for something else. */
  | 'replayed'
  /** The body is neither JSON nor XML as WeChat sends them. */
  | 'unreadable'
  /** Encrypted, and no usable EncodingAESKey is filled in for the AppID. */
  | 'no_key'
  /** Encrypted with another key, for another AppID, or not at all. */
  | 'undecryptable';

/** A push message that is not acted on, answered with 401. */
export class PushRefusal extends DomainError {
  override readonly name = 'PushRefusal';
  readonly why: PushRefusalReason;

  constructor(why: PushRefusalReason) {
    super('unauthorized', { reason: `push message refused: ${why}` });
    this.why = why;
  }
}
