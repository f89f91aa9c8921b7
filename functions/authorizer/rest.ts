/** The authorizer of a REST API (type REQUEST): one verdict per request, as a policy that holds for the whole stage. */
import type { APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import { describeError } from '../log/describe-error.ts';
import type { Log } from '../log/logger.ts';
import { tokenFromHeaders } from '../tokens/bearer.ts';
import { type Decide, type Decision, refusalFrom } from './decide.ts';
import { type IamAnswer, iamAnswer } from './iam-answer.ts';

/** What the authorizer reads of its event. */
export type RestAuthorizerEvent = Pick<APIGatewayRequestAuthorizerEvent, 'methodArn'> & {
  readonly headers: APIGatewayRequestAuthorizerEvent['headers'];
  readonly multiValueHeaders?: APIGatewayRequestAuthorizerEvent['multiValueHeaders'];
  readonly requestContext?: { readonly requestId?: string };
};

/** What {@link createRestAuthorizer} needs. */
export interface RestAuthorizerOptions {
  readonly decide: Decide;
  readonly log: Log;
}

/**
 * Creates the handler.
 *
 * It answers a policy that allows the stage, or one that denies it to a token that was revoked and to a banned user
 * (gateway response ACCESS_DENIED, which shows the context). It throws an Error whose message is exactly
 * `Unauthorized` for a request without a valid token, which API Gateway answers with 401, and any other error when
 * there is no verdict, which it answers with 500 (gateway response AUTHORIZER_FAILURE).
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
 */
export function createRestAuthorizer(
  options: RestAuthorizerOptions,
): (event: RestAuthorizerEvent) => Promise<IamAnswer> {
  const { decide, log } = options;

  async function decideOn(event: RestAuthorizerEvent): Promise<Decision> {
    let token: string;
    try {
      token = tokenFromHeaders(event.headers, event.multiValueHeaders);
    } catch (error) {
      return refusalFrom(error);
    }
    return decide(token);
  }

  return async (event) => {
    const request_id = event.requestContext?.requestId;
    let answer: IamAnswer | undefined;
    try {
      const decision = await decideOn(event);
      if (decision.outcome !== 'refuse') answer = iamAnswer(decision, event.methodArn);
      log.info('authorized', { request_id, decision: decision.outcome, ...detailsOf(decision) });
    } catch (error) {
      log.error('authorized', { request_id, decision: 'none', ...describeError(error) });
      // Lambda logs what is thrown with its causes; those are not ours to vouch for.
      throw new Error('No verdict on the token');
    }
    if (answer === undefined) throw new Error('Unauthorized');
    return answer;
  };
}

function detailsOf(decision: Decision): { user_id?: string; reason?: string } {
  switch (decision.outcome) {
    case 'allow':
      return { user_id: decision.token.userId };
    case 'deny':
      return { user_id: decision.token.userId, reason: decision.error };
    case 'refuse':
      return { reason: decision.reason };
  }
}
