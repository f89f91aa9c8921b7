/** REST APIs, authorizer type TOKEN: one header's value and nothing else of the request. */
import type { APIGatewayTokenAuthorizerEvent } from 'aws-lambda';
import { tokenFromCredentials } from '../../tokens/bearer.ts';
import type { ReadEvent } from './api.ts';
import { iamResponse } from './iam-response.ts';

/** Without a valid token it is 401, with a revoked one or for a banned user 403. */
export const restToken: ReadEvent = (event) =>
  isRestToken(event)
    ? {
        api: 'rest token',
        requestId: undefined,
        // Several headers arrive joined with a comma, which no form of a token holds.
        token: () => tokenFromCredentials(event.authorizationToken),
        respond: (decision) =>
          decision.kind === 'refuse' ? undefined : iamResponse(decision, event.methodArn),
      }
    : undefined;

function isRestToken(event: object): event is APIGatewayTokenAuthorizerEvent {
  return 'type' in event && event.type === 'TOKEN';
}
