/** A decision as API Gateway's IAM response: a policy for the whole stage, and a flat context. */
import type { APIGatewayAuthorizerResult } from 'aws-lambda';
import type { AuthorizerContext } from '../../contracts/token.ts';
import { contextFor, type Decision, type DenialContext } from '../decide.ts';

export type IamResponse = APIGatewayAuthorizerResult & {
  readonly context: AuthorizerContext | DenialContext;
};

/** API Gateway wants a principal even where there is none. */
const NOBODY = 'anonymous';

/**
 * The policy covers the stage and not the one method, so that a cached response is right for every route.
 * Only the last part of the ARN is the client's to choose, and it may hold slashes and colons.
 *
 * @param arn the method's or route's ARN, as API Gateway names it in the event
 * @throws Error when the ARN is not one: nothing is granted by guessing
 */
export function iamResponse(decision: Decision, arn: string): IamResponse {
  const stageArn = /^arn:[^:]+:execute-api:[^:]+:[^:]+:[^:/]+\/[^:/]+(?=\/)/.exec(arn)?.[0];
  if (stageArn === undefined) throw new Error('The method ARN has an unknown shape');
  const Effect = decision.kind === 'allow' ? 'Allow' : 'Deny';
  return {
    principalId: decision.kind === 'refuse' ? NOBODY : decision.token.userId,
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Action: 'execute-api:Invoke', Effect, Resource: `${stageArn}/*` }],
    },
    context: { ...contextFor(decision) },
  };
}
