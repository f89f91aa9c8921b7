/** An authorizer's verdict as API Gateway's IAM answer: a policy for the whole stage, and a flat context. */
import type { APIGatewayAuthorizerResult } from 'aws-lambda';
import { errorCatalogue } from '../errors/catalogue.ts';
import type { AuthorizerContext } from '../tokens/claims.ts';
import { type Allowance, contextOf, type Denial } from './decide.ts';

/** What the gateway response of a denial shows: `$context.authorizer.error` and `.msg`. */
export interface DenialContext {
  readonly error: Denial['error'];
  /** Chinese, because the gateway cannot see `Accept-Language`. */
  readonly msg: string;
}

/** An answer in API Gateway's IAM shape. */
export type IamAnswer = APIGatewayAuthorizerResult & { readonly context: AuthorizerContext | DenialContext };

/**
 * The answer to a verdict.
 *
 * The policy covers the stage and not the one method, so that a cached answer is right for every route.
 * Only the last part of the ARN is the caller's to choose, and it may hold slashes and colons.
 *
 * @param arn the method's ARN, as API Gateway names it in the event
 * @throws Error when the ARN is not one: nothing is granted by guessing
 */
export function iamAnswer(decision: Allowance | Denial, arn: string): IamAnswer {
  const stageArn = /^arn:[^:]+:execute-api:[^:]+:[^:]+:[^:/]+\/[^:/]+(?=\/)/.exec(arn)?.[0];
  if (stageArn === undefined) throw new Error('The method ARN has an unknown shape');
  const { outcome, token } = decision;
  const Effect = outcome === 'allow' ? 'Allow' : 'Deny';
  return {
    principalId: token.userId,
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Action: 'execute-api:Invoke', Effect, Resource: `${stageArn}/*` }],
    },
    context:
      outcome === 'allow'
        ? { ...contextOf(token) }
        : { error: decision.error, msg: errorCatalogue[decision.error].zh },
  };
}
