/** REST APIs, authorizer type REQUEST: the whole request but its body. */
import type { APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import { tokenFromHeaders } from '../../tokens/bearer.ts';
import type { Adapter } from './api.ts';
import { iamAnswer } from './iam-answer.ts';

/** What is read of the event. */
export type RestRequestEvent = Pick<APIGatewayRequestAuthorizerEvent, 'methodArn' | 'headers'> &
  Partial<Pick<APIGatewayRequestAuthorizerEvent, 'multiValueHeaders'>> & {
    readonly requestContext?: { readonly requestId?: string };
  };

/** Without a valid token it is 401, with a revoked one or for a banned user 403. */
export const restRequest: Adapter<RestRequestEvent> = {
  recognizes: (event): event is RestRequestEvent =>
    'type' in event && event.type === 'REQUEST' && !('version' in event) && 'httpMethod' in event,
  inquiry: (event) => ({
    api: 'rest request',
    requestId: event.requestContext?.requestId,
    token: () => tokenFromHeaders(event.headers, event.multiValueHeaders),
    answer: (decision) => (decision.outcome === 'refuse' ? undefined : iamAnswer(decision, event.methodArn)),
  }),
};
