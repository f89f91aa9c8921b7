/** `invalid_request` with the rule that a request breaks, in the two languages a person may be shown. */
import { DomainError } from './domain-error.ts';

/** Both texts name the member and the rule, never the value: they are sent, and the English one is logged. */
export function invalidRequest(zh: string, en: string): DomainError {
  return new DomainError('invalid_request', { detail: { zh, en }, reason: en });
}
