/** WebSocket APIs, route `$connect`: browsers cannot set headers there, so the token has three places to be in. */
import { type Headers, type MultiValueHeaders, tokenFromCredentials } from '../../tokens/bearer.ts';
import { TokenRefusal } from '../../tokens/refusal.ts';
import type { ReadEvent } from './api.ts';
import { iamResponse } from './iam-response.ts';

/** What is read of the event. */
interface WebSocketEvent {
  readonly methodArn: string;
  readonly headers?: Headers;
  readonly multiValueHeaders?: MultiValueHeaders;
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>> | null;
  readonly multiValueQueryStringParameters?: MultiValueHeaders;
  readonly requestContext: { readonly eventType: string; readonly requestId?: string };
}

/** The query string parameter that may hold the token. */
const QUERY_PARAMETER = 'token';

/** The subprotocol that announces the token as the next one: `new WebSocket(url, ['bearer', token])`. */
const TOKEN_PROTOCOL = 'bearer';

/** Without a valid token it is 401, with a revoked one or for a banned user 403. */
export const webSocket: ReadEvent = (event) =>
  isConnect(event)
    ? {
        api: 'websocket',
        requestId: event.requestContext.requestId,
        token: () => tokenOf(event),
        respond: (decision) =>
          decision.kind === 'refuse' ? undefined : iamResponse(decision, event.methodArn),
      }
    : undefined;

function isConnect(event: object): event is WebSocketEvent {
  return (
    !('version' in event) &&
    'requestContext' in event &&
    (event as WebSocketEvent).requestContext?.eventType === 'CONNECT'
  );
}

/** The one token. Several would leave open which of them the back end reads. */
function tokenOf(event: WebSocketEvent): string {
  const named = [
    ...valuesOf('authorization', event.headers, event.multiValueHeaders),
    ...valuesOf(QUERY_PARAMETER, event.queryStringParameters, event.multiValueQueryStringParameters),
    ...valuesOf('sec-websocket-protocol', event.headers, event.multiValueHeaders).flatMap(announcedTokens),
  ];
  if (named.length > 1) throw new TokenRefusal('duplicate_header');
  return tokenFromCredentials(named[0]);
}

/** All values of a header or parameter; the map of all values wins over the map of last values. */
function valuesOf(
  name: string,
  last: Readonly<Record<string, string | undefined>> | null | undefined,
  all: MultiValueHeaders,
): string[] {
  return Object.entries({ ...last, ...all }).flatMap(([key, value]) =>
    key.toLowerCase() === name && value !== undefined ? value : [],
  );
}

function announcedTokens(header: string): string[] {
  const protocols = header.split(',').map((protocol) => protocol.trim());
  return protocols.filter((_, index) => protocols[index - 1]?.toLowerCase() === TOKEN_PROTOCOL);
}
