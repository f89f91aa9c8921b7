/** HTTP APIs, payload 1.0: the shape of a REST API's request, which takes a policy. */
import { tokenFromHeaders } from '../../tokens/bearer.ts';
import type { ReadEvent } from './api.ts';
import { iamResponse } from './iam-response.ts';
import { checkIdentitySource } from './identity-source.ts';
import type { RestRequestEvent } from './rest-request.ts';

/** What is read of the event. */
type HttpV1Event = RestRequestEvent & {
  readonly version: '1.0';
  /** The configured sources' values, joined with commas. */
  readonly identitySource?: string | null;
};

/**
 * Refusals are 403 as well: that a thrown `Unauthorized` becomes 401 is documented for REST and WebSocket APIs only.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
 */
export const httpV1: ReadEvent = (event) =>
  isHttpV1(event)
    ? {
        api: 'http 1.0',
        requestId: event.requestContext?.requestId,
        token: () => checkIdentitySource(tokenFromHeaders(event.headers, event.multiValueHeaders), event),
        respond: (decision) => iamResponse(decision, event.methodArn),
      }
    : undefined;

function isHttpV1(event: object): event is HttpV1Event {
  return 'version' in event && event.version === '1.0';
}
