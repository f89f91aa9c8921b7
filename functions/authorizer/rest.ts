/** The authorizer of a REST API (type REQUEST): one verdict per request, as a policy that holds for the whole stage. */
import type { APIGatewayAuthorizerResult, APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import { DomainError } from '../errors/domain-error.ts';
import { describeError } from '../log/describe-error.ts';
import type { Log } from '../log/logger.ts';
import { tokenFromHeaders } from './bearer.ts';
import type { AuthorizerContext, VerifiedToken } from './claims.ts';
import type { TokenVerifier } from './verify.ts';

/** What the authorizer reads of its event. */
export type AuthorizerEvent = Pick<APIGatewayRequestAuthorizerEvent, 'methodArn'> & {
  readonly headers: APIGatewayRequestAuthorizerEvent['headers'];
  readonly multiValueHeaders?: APIGatewayRequestAuthorizerEvent['multiValueHeaders'];
  readonly requestContext?: { readonly requestId?: string };
};

/** What the authorizer answers for a valid token. */
export type AuthorizerAnswer = APIGatewayAuthorizerResult & { readonly context: AuthorizerContext };

/** What {@link createAuthorizer} needs. */
export interface AuthorizerOptions {
  readonly verifier: TokenVerifier;
  readonly log: Log;
}

/**
 * Creates the handler.
 *
 * The answered handler throws an Error whose message is exactly `Unauthorized` for a request without a valid
 * token, which API Gateway answers with 401, and any other error when there is no verdict, which it answers
 * with 500 (gateway response AUTHORIZER_FAILURE).
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
 */
export function createAuthorizer(
  options: AuthorizerOptions,
): (event: AuthorizerEvent) => Promise<AuthorizerAnswer> {
  const { verifier, log } = options;
  return async (event) => {
    const request_id = event.requestContext?.requestId;
    try {
      const token = await verifier.verify(tokenFromHeaders(event.headers, event.multiValueHeaders));
      const answer = allowStage(event.methodArn, token);
      log.info('authorized', { request_id, decision: 'allow', user_id: token.userId });
      return answer;
    } catch (error) {
      if (error instanceof DomainError && error.code === 'unauthorized') {
        log.info('authorized', { request_id, decision: 'refuse', reason: error.reason });
        throw new Error('Unauthorized');
      }
      log.error('authorized', { request_id, decision: 'none', ...describeError(error) });
      // Lambda logs what is thrown with its causes; those are not ours to vouch for.
      throw new Error('No verdict on the token');
    }
  };
}

/**
 * The policy covers the stage and not the one method, so that a cached answer is right for every route.
 * Only the last part of the ARN is the caller's to choose, and it may hold slashes and colons.
 */
function allowStage(methodArn: string, token: VerifiedToken): AuthorizerAnswer {
  const stageArn = /^arn:[^:]+:execute-api:[^:]+:[^:]+:[^:/]+\/[^:/]+(?=\/)/.exec(methodArn)?.[0];
  if (stageArn === undefined) throw new Error('The method ARN has an unknown shape');
  return {
    principalId: token.userId,
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: `${stageArn}/*` }],
    },
    context: {
      user_id: token.userId,
      appid: token.appid,
      jti: token.jti,
      auth_time: String(token.authTime),
      expires_at: String(token.expiresAt),
    } satisfies AuthorizerContext,
  };
}
