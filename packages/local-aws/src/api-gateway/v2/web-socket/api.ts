/** WebSocket APIs: `$connect` decides about a connection, and every message goes to `$default`. */
import { randomBytes, randomUUID } from 'node:crypto';
import { LocalRunError, unsupported } from '../../../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../json.ts';
import type { InvokeFunction } from '../../../lambda/invoke.ts';
import {
  type Authorizer,
  compileWebSocketAuthorizer,
  denialOf,
} from '../../authorizers/policy-authorizer.ts';
import type { MethodCall } from '../../call.ts';
import { readProxyResponse } from '../../lambda-proxy.ts';
import { Refusal, refusalFor, refused } from '../../refusal.ts';
import { type ApiRequest, bothMaps, commonLogTime, valuesOf } from '../../request.ts';
import type { ApiResponse, GatewayResult } from '../../response.ts';
import type { MessageResult, ServedApi, WebSocketConnection } from '../../served-api.ts';
import { withinMs } from '../../within.ts';
import type { ApiV2, RouteV2 } from '../template.ts';

/** A route with a function behind it. */
interface Route {
  readonly responds: boolean;
  /** @throws Refusal when the function fails or returns no response */
  readonly call: (event: JsonObject) => Promise<ApiResponse>;
}

/**
 * Reads a WebSocket API.
 *
 * @throws LocalRunError naming what is unknown or could not be deployed
 */
export function compileWebSocketApi(api: ApiV2, invoke: InvokeFunction): ServedApi {
  for (const { logicalId, routeKey, authorizer } of api.routes) {
    if (authorizer !== undefined && routeKey !== '$connect')
      throw new LocalRunError(`${logicalId}.AuthorizerId: only $connect can have an authorizer.`);
    if (routeKey !== '$connect' && routeKey !== '$default')
      throw unsupported(`${logicalId}.RouteKey`, `${routeKey} (only $connect and $default)`);
  }
  const routeOf = (routeKey: string): RouteV2 | undefined =>
    api.routes.find((route) => route.routeKey === routeKey);
  const [onConnect, onMessage] = [routeOf('$connect'), routeOf('$default')].map(
    (route) => route && compileRoute(api, route, invoke),
  );
  const guard = routeOf('$connect')?.authorizer;
  const authorizer = guard && compileWebSocketAuthorizer(guard.resource, invoke, guard.arn);

  const connect = async (request: ApiRequest): Promise<GatewayResult | WebSocketConnection> => {
    const connectionId = `${randomBytes(11).toString('base64url')}=`;
    const { requestId } = request;
    const context = (routeKey: string, eventType: string, ofRequest: string): JsonObject =>
      contextOf(api, request, { connectionId, routeKey, eventType, requestId: ofRequest });
    try {
      if (request.path !== '/') throw new Refusal('ACCESS_DENIED', 'Forbidden');
      const opening = context('$connect', 'CONNECT', requestId);
      const call = { request, context: opening, pathParameters: {}, stageVariables: api.stageVariables };
      const caller = await authorize(api, authorizer, call);
      const requestContext = { ...opening, ...caller };
      const connected = await onConnect?.call({ ...requestMaps(request), requestContext });
      if (connected !== undefined && (connected.status < 200 || connected.status > 299))
        return { response: connected };
      return {
        protocol: connected && valuesOf(connected.headers, 'sec-websocket-protocol')[0],
        message: (body) => {
          const messageId = randomUUID();
          const ofMessage = { ...context('$default', 'MESSAGE', randomUUID()), ...caller, messageId };
          return respondToMessage(onMessage, ofMessage, body);
        },
      };
    } catch (error) {
      return refusalResult(error, { connectionId, requestId });
    }
  };

  return {
    connect,
    respond: async () => ({
      response: { status: 426, headers: [['Upgrade', 'websocket']], body: '' },
    }),
  };
}

async function authorize(
  api: ApiV2,
  authorizer: Authorizer | undefined,
  call: MethodCall,
): Promise<JsonObject> {
  if (authorizer === undefined) return {};
  const { decision, authorizer: caller } = await authorizer(call, `${api.stageArn}/$connect`, '$connect');
  if (decision !== 'allow') throw denialOf(decision);
  return { authorizer: caller };
}

function compileRoute(
  api: ApiV2,
  { routeKey, integration, responds }: RouteV2,
  invoke: InvokeFunction,
): Route {
  const { functionArn, timeoutMs } = integration;
  const sourceArn = `${api.stageArn}/${routeKey}`;
  const { stageVariables } = api;
  const always = {
    isBase64Encoded: false,
    ...(Object.keys(stageVariables).length === 0 ? {} : { stageVariables }),
  };
  return {
    responds,
    call: async (event) => {
      const invocation = await withinMs(invoke(functionArn, { ...event, ...always }, sourceArn), timeoutMs);
      if (invocation === undefined) throw new Refusal('INTEGRATION_TIMEOUT', 'Endpoint request timed out');
      const returned = invocation.ok ? (JSON.parse(invocation.payload) as Json) : undefined;
      const response =
        isJsonObject(returned) && returned.statusCode !== undefined
          ? readProxyResponse(returned, 'application/json', false)
          : undefined;
      if (response === undefined) throw new Refusal('DEFAULT_5XX', 'Internal server error', { status: 502 });
      return response;
    },
  };
}

async function respondToMessage(
  route: Route | undefined,
  requestContext: JsonObject,
  body: string,
): Promise<MessageResult> {
  const requestId = String(requestContext.requestId);
  try {
    if (route === undefined) throw new Refusal('ACCESS_DENIED', 'Forbidden');
    const response = await route.call({ body, requestContext });
    return { requestId, response: route.responds ? response : { ...response, body: '' } };
  } catch (error) {
    const connectionId = String(requestContext.connectionId);
    return { requestId, ...refusalResult(error, { connectionId, requestId }) };
  }
}

/** The same words for a handshake that is refused and a message that nothing responds to. */
function refusalResult(
  error: unknown,
  ids: { readonly connectionId: string; readonly requestId: string },
): GatewayResult {
  const refusal = refusalFor(error);
  return refused(refusal, {
    status: refusal.status,
    headers: [
      ['Content-Type', 'application/json'],
      ['x-amzn-RequestId', ids.requestId],
    ],
    body: JSON.stringify({ message: refusal.text, ...ids }),
  });
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html */
function contextOf(api: ApiV2, request: ApiRequest, ofEvent: JsonObject): JsonObject {
  const now = Date.now();
  return {
    ...ofEvent,
    apiId: api.id,
    connectedAt: request.receivedAt,
    domainName: valuesOf(request.headers, 'host')[0] ?? '',
    extendedRequestId: request.extendedRequestId,
    identity: {
      sourceIp: request.sourceIp,
      userAgent: valuesOf(request.headers, 'user-agent')[0] ?? null,
    },
    messageDirection: 'IN',
    requestTime: commonLogTime(now),
    requestTimeEpoch: now,
    stage: api.stage,
  };
}

/** Headers and query string of the handshake; maps of the query string are there only when it has parameters. */
function requestMaps({ headers, query }: ApiRequest): JsonObject {
  const [header, parameter] = [bothMaps(headers, true), bothMaps(query, false)];
  return {
    headers: header.last,
    multiValueHeaders: header.all,
    ...(query.length === 0
      ? {}
      : { queryStringParameters: parameter.last, multiValueQueryStringParameters: parameter.all }),
  };
}
