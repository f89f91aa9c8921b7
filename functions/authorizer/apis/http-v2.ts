/**
 * HTTP APIs, payload 2.0, which take a simple response or a policy: the event does not tell which of the two the API
 * was set up for.
 */
import type { APIGatewayRequestAuthorizerEventV2 } from 'aws-lambda';
import { tokenFromHeaders } from '../../tokens/bearer.ts';
import { contextFor, type Decision } from '../decide.ts';
import type { AuthorizerResponse, ReadEvent } from './api.ts';
import { iamResponse } from './iam-response.ts';
import { checkIdentitySource, type IdentitySources } from './identity-source.ts';

/** What is read of the event. */
type HttpV2Event = Pick<APIGatewayRequestAuthorizerEventV2, 'version' | 'routeArn'> &
  IdentitySources & {
    /** Names in lower case; several values of one name are joined with a comma, which no form of a token holds. */
    readonly headers?: Readonly<Record<string, string | undefined>> | null;
    readonly requestContext?: { readonly requestId?: string };
  };

/** Simple responses (`enableSimpleResponses`): a boolean, and refusals are 403 as well. */
export const httpV2Simple = reader('http 2.0 simple', (decision) => ({
  isAuthorized: decision.kind === 'allow',
  context: contextFor(decision),
}));

/** Policies, and refusals are 403 as well. */
export const httpV2Iam = reader('http 2.0 iam', (decision, { routeArn }) => iamResponse(decision, routeArn));

function reader(
  api: string,
  respond: (decision: Decision, event: HttpV2Event) => AuthorizerResponse,
): ReadEvent {
  return (event) =>
    isHttpV2(event)
      ? {
          api,
          requestId: event.requestContext?.requestId,
          token: () => checkIdentitySource(tokenFromHeaders(event.headers), event),
          respond: (decision) => respond(decision, event),
        }
      : undefined;
}

function isHttpV2(event: object): event is HttpV2Event {
  return 'version' in event && event.version === '2.0';
}
