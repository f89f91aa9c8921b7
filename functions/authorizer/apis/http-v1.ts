/** HTTP APIs, payload 1.0: the shape of a REST API's request, answered with a policy. */
import { tokenFromHeaders } from '../../tokens/bearer.ts';
import type { Adapter } from './api.ts';
import { iamAnswer } from './iam-answer.ts';
import { checkIdentitySource } from './identity-source.ts';
import type { RestRequestEvent } from './rest-request.ts';

/** What is read of the event. */
export type HttpV1Event = RestRequestEvent & {
  readonly version: '1.0';
  /** The configured sources' values, joined with commas. */
  readonly identitySource?: string | null;
};

/**
 * No is always 403: that a thrown `Unauthorized` becomes 401 is documented for REST and WebSocket APIs only.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
 */
export const httpV1: Adapter<HttpV1Event> = {
  recognizes: (event): event is HttpV1Event => 'version' in event && event.version === '1.0',
  inquiry: (event) => ({
    api: 'http 1.0',
    requestId: event.requestContext?.requestId,
    token: () => checkIdentitySource(tokenFromHeaders(event.headers, event.multiValueHeaders), event),
    answer: (decision) => iamAnswer(decision, event.methodArn),
  }),
};
