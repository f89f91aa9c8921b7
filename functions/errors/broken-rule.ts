/** The error of a request that breaks a rule. */
import { type RequestRule, ruleEntry } from '../contracts/http/request-rules.ts';
import { DomainError } from './domain-error.ts';

/** The rule's error, with its text for people; the English one is logged too. */
export function brokenRule(rule: RequestRule): DomainError {
  const { error, detail } = ruleEntry(rule);
  return new DomainError(error, detail && { detail, reason: detail.en });
}
