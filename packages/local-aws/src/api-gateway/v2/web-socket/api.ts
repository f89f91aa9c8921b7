/** WebSocket APIs: who is let in, and which function a message is for. */
import { randomBytes, randomUUID } from 'node:crypto';
import { LocalRunError, unsupported } from '../../../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../template/assembly.ts';
import {
  type Authorizer,
  compileWebSocketAuthorizer,
  denialOf,
} from '../../authorizers/policy-authorizer.ts';
import {
  type Answer,
  type InvokeFunction,
  type MethodCall,
  type RoutedAnswer,
  type ServedApi,
  type WebSocketConnection,
  withinMs,
} from '../../call.ts';
import { readProxyAnswer } from '../../lambda-proxy.ts';
import { type ApiRequest, bothMaps, commonLogTime, valuesOf } from '../../request.ts';
import type { ApiResponse } from '../../response.ts';
import { Refusal, refusalFor, refused } from '../../rest/gateway-responses.ts';
import type { ApiV2, RouteV2 } from '../template.ts';

/** A route with a function behind it. */
interface Route {
  readonly responds: boolean;
  /** @throws Refusal when the function fails or its answer is none */
  readonly ask: (event: JsonObject) => Promise<ApiResponse>;
}

/**
 * Reads a WebSocket API. The @connections API, by which functions send on their own, is not there.
 *
 * @throws LocalRunError naming what is unknown or could not be deployed
 */
export function compileWebSocketApi(api: ApiV2, invoke: InvokeFunction): ServedApi {
  const selectRoute = compileSelection(api);
  const routes = new Map(api.routes.map((route) => [route.routeKey, compileRoute(api, route, invoke)]));
  const authorizer = compileConnectAuthorizer(api, invoke);

  const connect = async (request: ApiRequest): Promise<Answer | WebSocketConnection> => {
    const connectionId = `${randomBytes(11).toString('base64url')}=`;
    const context = contextOf(api, request, connectionId);
    const toRoute = (routeKey: string, eventType: string, more: JsonObject = {}): JsonObject => ({
      ...context(routeKey, eventType, eventType === 'CONNECT' ? request.requestId : randomUUID()),
      ...more,
    });
    try {
      if (request.path !== '/') throw new Refusal('ACCESS_DENIED', 'Forbidden');
      const opening = toRoute('$connect', 'CONNECT');
      const call = { request, context: opening, pathParameters: {}, stageVariables: api.stageVariables };
      const caller = await authorize(api, authorizer, call);
      const answer = await routes.get('$connect')?.ask({
        ...requestMaps(request),
        requestContext: { ...opening, ...caller },
        isBase64Encoded: false,
      });
      if (answer !== undefined && (answer.status < 200 || answer.status > 299)) return { response: answer };
      return {
        protocol: answer && valuesOf(answer.headers, 'sec-websocket-protocol')[0],
        message: (text) => {
          const selected = selectRoute(text);
          const routeKey = routes.has(selected) ? selected : '$default';
          const requestContext = toRoute(routeKey, 'MESSAGE', { ...caller, messageId: randomUUID() });
          return route(routes, requestContext, { body: text });
        },
        disconnect: (code, reason) =>
          route(
            routes,
            toRoute('$disconnect', 'DISCONNECT', {
              ...caller,
              disconnectStatusCode: code,
              disconnectReason: reason,
            }),
            requestMaps(request),
          ),
      };
    } catch (error) {
      return refusalAnswer(error, connectionId, request.requestId);
    }
  };

  return {
    connect,
    answer: async () => ({
      response: { status: 426, headers: [['Upgrade', 'websocket']], body: '' },
    }),
  };
}

/** Only `$connect` can have one: a connection is authorized once. */
function compileConnectAuthorizer({ routes }: ApiV2, invoke: InvokeFunction): Authorizer | undefined {
  for (const { logicalId, routeKey, authorizer } of routes)
    if (authorizer !== undefined && routeKey !== '$connect')
      throw new LocalRunError(`${logicalId}.AuthorizerId: only $connect can have an authorizer.`);
  const authorizer = routes.find(({ routeKey }) => routeKey === '$connect')?.authorizer;
  return authorizer && compileWebSocketAuthorizer(authorizer.resource, invoke, authorizer.arn);
}

async function authorize(
  api: ApiV2,
  authorizer: Authorizer | undefined,
  call: MethodCall,
): Promise<JsonObject> {
  if (authorizer === undefined) return {};
  const verdict = await authorizer(call, `${api.stageArn}/$connect`, '$connect');
  if (verdict.decision !== 'allow') throw denialOf(verdict.decision);
  return { authorizer: verdict.authorizer };
}

function compileRoute(
  api: ApiV2,
  { routeKey, integration, responds }: RouteV2,
  invoke: InvokeFunction,
): Route {
  const { functionArn, timeoutMs } = integration;
  const sourceArn = `${api.stageArn}/${routeKey}`;
  return {
    responds,
    ask: async (event) => {
      const withVariables =
        Object.keys(api.stageVariables).length === 0
          ? event
          : { ...event, stageVariables: api.stageVariables };
      const invocation = await withinMs(invoke(functionArn, withVariables, sourceArn), timeoutMs, undefined);
      if (invocation === undefined) throw new Refusal('INTEGRATION_TIMEOUT', 'Endpoint request timed out');
      const answer = invocation.ok ? (JSON.parse(invocation.payload) as Json) : undefined;
      const response =
        isJsonObject(answer) && answer.statusCode !== undefined
          ? readProxyAnswer(answer, 'application/json', false)
          : undefined;
      if (response === undefined) throw new Refusal('DEFAULT_5XX', 'Internal server error', { status: 502 });
      return response;
    },
  };
}

/** Asks the route that the context names; without it there is nobody to ask, which only matters for a message. */
async function route(
  routes: ReadonlyMap<string, Route>,
  requestContext: JsonObject,
  event: JsonObject,
): Promise<RoutedAnswer> {
  const routeKey = String(requestContext.routeKey);
  const requestId = String(requestContext.requestId);
  const target = routes.get(routeKey);
  try {
    if (target === undefined && requestContext.eventType === 'MESSAGE')
      throw new Refusal('ACCESS_DENIED', 'Forbidden');
    const response = await target?.ask({ ...event, requestContext, isBase64Encoded: false });
    const silent = { status: response?.status ?? 200, headers: [], body: '' };
    return { requestId, routeKey, response: target?.responds === true && response ? response : silent };
  } catch (error) {
    return { requestId, routeKey, ...refusalAnswer(error, String(requestContext.connectionId), requestId) };
  }
}

/** The same words for a handshake that is refused and a message that cannot be answered. */
function refusalAnswer(error: unknown, connectionId: string, requestId: string): Answer {
  const refusal = refusalFor(error);
  return refused(refusal, {
    status: refusal.status,
    headers: [
      ['Content-Type', 'application/json'],
      ['x-amzn-RequestId', requestId],
    ],
    body: JSON.stringify({ message: refusal.text, connectionId, requestId }),
  });
}

/** `$request.body.action`, or with braces: the route key is that member of a message that is a JSON object. */
function compileSelection({ logicalId, routeSelectionExpression }: ApiV2): (message: string) => string {
  const path = /^\$(?:request\.body\.([\w.]+)|\{request\.body\.([\w.]+)\})$/.exec(
    routeSelectionExpression ?? '',
  );
  const members = (path?.[1] ?? path?.[2])?.split('.');
  if (members === undefined)
    throw unsupported(`${logicalId}.RouteSelectionExpression`, JSON.stringify(routeSelectionExpression));
  return (message) => {
    let at: Json | undefined;
    try {
      at = JSON.parse(message) as Json;
    } catch {
      return '$default';
    }
    for (const member of members) at = isJsonObject(at) && Object.hasOwn(at, member) ? at[member] : undefined;
    // The routes that API Gateway calls by itself are nobody else's to call.
    return typeof at === 'string' && !at.startsWith('$') ? at : '$default';
  };
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html */
function contextOf(
  api: ApiV2,
  request: ApiRequest,
  connectionId: string,
): (routeKey: string, eventType: string, requestId: string) => JsonObject {
  return (routeKey, eventType, requestId) => {
    const now = Date.now();
    return {
      apiId: api.id,
      connectedAt: request.receivedAt,
      connectionId,
      domainName: valuesOf(request.headers, 'host')[0] ?? '',
      eventType,
      extendedRequestId: request.extendedRequestId,
      identity: {
        sourceIp: request.sourceIp,
        userAgent: valuesOf(request.headers, 'user-agent')[0] ?? null,
      },
      messageDirection: 'IN',
      requestId,
      requestTime: commonLogTime(now),
      requestTimeEpoch: now,
      routeKey,
      stage: api.stage,
    };
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
