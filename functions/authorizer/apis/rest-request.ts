/** REST APIs, authorizer type REQUEST: the whole request but its body. */
import type { APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import { tokenFromHeaders } from '../../tokens/bearer.ts';
import type { ReadEvent } from './api.ts';
import { iamResponse } from './iam-response.ts';

/** What is read of the event. */
export type RestRequestEvent = Pick<APIGatewayRequestAuthorizerEvent, 'methodArn' | 'headers'> &
  Partial<Pick<APIGatewayRequestAuthorizerEvent, 'multiValueHeaders'>> & {
    readonly requestContext?: { readonly requestId?: string };
  };

/** Without a valid token it is 401, with a revoked one or for a banned user 403. */
export const restRequest: ReadEvent = (event) =>
  isRestRequest(event)
    ? {
        api: 'rest request',
        requestId: event.requestContext?.requestId,
        token: () => tokenFromHeaders(event.headers, event.multiValueHeaders),
        respond: (decision) =>
          decision.kind === 'refuse' ? undefined : iamResponse(decision, event.methodArn),
      }
    : undefined;

function isRestRequest(event: object): event is RestRequestEvent {
  return 'type' in event && event.type === 'REQUEST' && !('version' in event) && 'httpMethod' in event;
}
