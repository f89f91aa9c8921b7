/** The events that HTTP APIs send to functions and authorizers, in payload formats 1.0 and 2.0. */

import type { Json, JsonObject } from '../../../json.ts';
import { ACCOUNT_ID } from '../../../template/account.ts';
import type { MethodCall } from '../../call.ts';
import { proxyEvent } from '../../lambda-proxy.ts';
import { commonLogTime, mediaTypeOf, type Pair, requestContextOf, valuesOf } from '../../request.ts';
import type { ApiV2 } from '../template.ts';

/** One request that was routed. Its `context` is `$context` of identity sources. */
export interface HttpCall extends MethodCall {
  readonly api: ApiV2;
  readonly routeKey: string;
  /** `/orders/{id}`; `$default` for the route of that name. */
  readonly resourcePath: string;
}

/** What an authorizer found out about the caller. */
export type Caller =
  | { readonly kind: 'jwt'; readonly claims: Readonly<Record<string, string>> }
  | {
      readonly kind: 'lambda';
      readonly context: JsonObject | null;
      /** Undefined for simple responses. */
      readonly principalId: string | undefined;
    };

/** A routed request. */
export function httpCallOf(
  request: MethodCall['request'],
  api: ApiV2,
  route: { readonly routeKey: string; readonly resourcePath: string },
  pathParameters: MethodCall['pathParameters'],
): HttpCall {
  const context = requestContextOf(request, {
    accountId: ACCOUNT_ID,
    apiId: api.id,
    stage: api.stage,
    resourceId: route.routeKey,
    resourcePath: route.resourcePath,
  });
  return {
    request,
    api,
    routeKey: route.routeKey,
    resourcePath: route.resourcePath,
    pathParameters,
    stageVariables: api.stageVariables,
    context: { ...context, routeKey: route.routeKey },
  };
}

/** ARN of what is called, which policies name. */
export const routeArnOf = ({ api, request }: HttpCall): string =>
  `${api.stageArn}/${request.method}${request.path}`;

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html */
export function integrationEvent(call: HttpCall, version: '1.0' | '2.0', caller: Caller | undefined): Json {
  const binary = isBinary(call.request.headers);
  if (version === '1.0') {
    const { routeKey: _, ...context } = call.context;
    const requestContext = { ...context, authorizer: authorizerV1(caller) };
    return { version, ...proxyEvent({ ...call, context: requestContext }, call.resourcePath, binary) };
  }
  const { requestContext, ...event } = eventV2(call);
  const { body } = call.request;
  const isBase64Encoded = body.length > 0 && binary;
  return {
    version,
    ...event,
    requestContext: {
      ...requestContext,
      ...(caller === undefined ? {} : { authorizer: authorizerV2(caller) }),
    },
    ...(body.length === 0 ? {} : { body: body.toString(isBase64Encoded ? 'base64' : 'utf8') }),
    isBase64Encoded,
  };
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html */
export function authorizerEvent(
  call: HttpCall,
  version: '1.0' | '2.0',
  identity: readonly string[] | undefined,
): Json {
  const type = 'REQUEST';
  if (version === '2.0')
    return { version, type, routeArn: routeArnOf(call), identitySource: identity ?? null, ...eventV2(call) };
  const { routeKey: _, ...context } = call.context;
  const {
    multiValueHeaders: _headers,
    multiValueQueryStringParameters: _query,
    ...event
  } = proxyEvent({ ...call, context }, call.resourcePath, false);
  const { body: _body, isBase64Encoded: _encoded, ...request } = event;
  const token = identity?.join(',') ?? null;
  return {
    version,
    type,
    methodArn: routeArnOf(call),
    identitySource: token,
    authorizationToken: token,
    ...request,
  };
}

function authorizerV1(caller: Caller | undefined): JsonObject {
  if (caller === undefined) return { claims: null, scopes: null };
  if (caller.kind === 'jwt') return { claims: caller.claims, scopes: null };
  const { context, principalId } = caller;
  return { ...context, ...(principalId === undefined ? {} : { principalId }) };
}

function authorizerV2(caller: Caller): JsonObject {
  return caller.kind === 'jwt'
    ? { jwt: { claims: caller.claims, scopes: null } }
    : { lambda: caller.context };
}

/** What both kinds of event in format 2.0 have in common: members without a value are left out. */
function eventV2(call: HttpCall): JsonObject & { readonly requestContext: JsonObject } {
  const { request, api, routeKey } = call;
  const host = valuesOf(request.headers, 'host')[0] ?? '';
  const cookies = valuesOf(request.headers, 'cookie').flatMap((line) => line.split(/; */));
  const headers = joined(request.headers.map(([name, value]) => [name.toLowerCase(), value]));
  const { cookie: _, ...others } = headers;
  return {
    routeKey,
    rawPath: request.path,
    rawQueryString: request.rawQuery,
    ...(cookies.length === 0 ? {} : { cookies }),
    headers: others,
    ...unlessEmpty('queryStringParameters', joined(request.query)),
    requestContext: {
      accountId: ACCOUNT_ID,
      apiId: api.id,
      domainName: host,
      domainPrefix: host.split('.')[0] ?? '',
      http: {
        method: request.method,
        path: request.path,
        protocol: request.protocol,
        sourceIp: request.sourceIp,
        userAgent: valuesOf(request.headers, 'user-agent')[0] ?? '',
      },
      requestId: request.requestId,
      routeKey,
      stage: api.stage,
      time: commonLogTime(request.receivedAt),
      timeEpoch: request.receivedAt,
    },
    ...unlessEmpty('pathParameters', call.pathParameters),
    ...unlessEmpty('stageVariables', call.stageVariables),
  };
}

/** Several values of one name are joined with a comma. */
function joined(pairs: readonly Pair[]): Record<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of pairs) {
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(values);
}

function unlessEmpty(name: string, map: JsonObject): JsonObject {
  return Object.keys(map).length === 0 ? {} : { [name]: map };
}

/** Bodies of other media types travel base64-encoded; there is no setting for it. */
const textTypes = /^(text\/.+|application\/(json|javascript|xml))$/;

function isBinary(headers: readonly Pair[]): boolean {
  const mediaType = mediaTypeOf(headers, 'content-type');
  return mediaType !== undefined && !textTypes.test(mediaType);
}
