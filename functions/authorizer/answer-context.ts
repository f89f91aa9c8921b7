/** What an answer says beside yes or no: who the bearer is, or why the request was turned away. */
import { errorCatalogue } from '../contracts/errors.ts';
import type { AuthorizerContext } from '../contracts/token.ts';
import { contextOf, type Decision, type Denial } from './decide.ts';

/** What the gateway response of a denial shows: `$context.authorizer.error` and `.msg`. */
export interface DenialContext {
  readonly error: Denial['error'] | 'unauthorized';
  /** Chinese, because the gateway cannot see `Accept-Language`. */
  readonly msg: string;
}

/** The context of an answer: flat strings, which every kind of API can pass on. */
export function answerContext(decision: Decision): AuthorizerContext | DenialContext {
  if (decision.outcome === 'allow') return contextOf(decision.token);
  const error = decision.outcome === 'deny' ? decision.error : 'unauthorized';
  return { error, msg: errorCatalogue[error].zh };
}
