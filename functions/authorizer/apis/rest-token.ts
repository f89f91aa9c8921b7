/** REST APIs, authorizer type TOKEN: one header's value and nothing else of the request. */
import type { APIGatewayTokenAuthorizerEvent } from 'aws-lambda';
import { tokenFromHeaders } from '../../tokens/bearer.ts';
import type { Adapter } from './api.ts';
import { iamAnswer } from './iam-answer.ts';

/** Without a valid token it is 401, with a revoked one or for a banned user 403. */
export const restToken: Adapter<APIGatewayTokenAuthorizerEvent> = {
  recognizes: (event): event is APIGatewayTokenAuthorizerEvent => 'type' in event && event.type === 'TOKEN',
  inquiry: (event) => ({
    api: 'rest token',
    requestId: undefined,
    // Several headers arrive joined with a comma, which no form of a token holds.
    token: () => tokenFromHeaders({ authorization: event.authorizationToken }),
    answer: (decision) => (decision.outcome === 'refuse' ? undefined : iamAnswer(decision, event.methodArn)),
  }),
};
