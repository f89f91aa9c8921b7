/** Lambda authorizers of REST and WebSocket APIs: the event their function gets, and what its policy decides. */
import { unsupported } from '../../errors.ts';
import { type Json, type JsonObject, list } from '../../json.ts';
import type { InvokeFunction } from '../../lambda/invoke.ts';
import type { ResolvedResource } from '../../template/intrinsics.ts';
import { refuseUnknown } from '../../template/properties.ts';
import type { MethodCall } from '../call.ts';
import { Refusal } from '../refusal.ts';
import { bothMaps } from '../request.ts';
import { createAuthorizerFunction } from './function.ts';
import { compileIdentitySources } from './identity-source.ts';
import { type Decision, evaluatePolicy, type FlatResponse, parseFlatResponse } from './policy.ts';

/** A decision about a call, with what the function said about the caller. */
interface Authorization {
  readonly decision: Decision;
  /** `$context.authorizer`. */
  readonly authorizer: JsonObject;
}

/**
 * Decides about a call.
 *
 * @throws Refusal UNAUTHORIZED, AUTHORIZER_FAILURE or AUTHORIZER_CONFIGURATION_ERROR
 */
export type Authorizer = (
  call: MethodCall,
  methodArn: string,
  resourcePath: string,
) => Promise<Authorization>;

/** How long a REST API keeps a decision unless the template says otherwise, seconds. */
const DEFAULT_TTL_SECONDS = 300;

/** Longest response of an authorizer that a WebSocket API takes, characters. */
const MAX_WEB_SOCKET_RESPONSE = 8192;

const restProperties = {
  emulated: 'AuthorizerResultTtlInSeconds AuthorizerUri IdentitySource RestApiId Type',
  ignored: 'AuthType Name',
};
const webSocketProperties = {
  emulated: 'ApiId AuthorizerType AuthorizerUri IdentitySource',
  ignored: 'Name',
};

/**
 * Reads an authorizer of a REST API.
 *
 * @param sourceArn ARN of the authorizer, which the function's permission names
 * @throws LocalRunError naming the property that is unknown or cannot be deployed
 */
export function compileRestAuthorizer(
  resource: ResolvedResource,
  invoke: InvokeFunction,
  sourceArn: string,
): Authorizer {
  const { logicalId, properties } = resource;
  refuseUnknown(logicalId, properties, restProperties);
  if (properties.Type !== 'REQUEST')
    throw unsupported(`${logicalId}.Type`, `${JSON.stringify(properties.Type)} (only REQUEST)`);
  const sources = String(properties.IdentitySource ?? '')
    .split(',')
    .map((source) => source.trim())
    .filter((source) => source !== '');
  return compilePolicyAuthorizer(resource, invoke, sourceArn, {
    kind: 'REST',
    sources,
    ttlMs: Number(properties.AuthorizerResultTtlInSeconds ?? DEFAULT_TTL_SECONDS) * 1000,
    read: parseFlatResponse,
    more: ({ request, pathParameters }, resource) => ({
      resource,
      path: request.path,
      httpMethod: request.method,
      pathParameters,
    }),
  });
}

/** Reads the authorizer of a WebSocket API's `$connect` route; there is no cache for those. @throws LocalRunError */
export function compileWebSocketAuthorizer(
  resource: ResolvedResource,
  invoke: InvokeFunction,
  sourceArn: string,
): Authorizer {
  const { logicalId, properties } = resource;
  refuseUnknown(logicalId, properties, webSocketProperties);
  return compilePolicyAuthorizer(resource, invoke, sourceArn, {
    kind: 'WEBSOCKET',
    sources: list(properties.IdentitySource).map(String),
    ttlMs: 0,
    read: (response) =>
      JSON.stringify(response).length > MAX_WEB_SOCKET_RESPONSE ? undefined : parseFlatResponse(response),
    more: () => ({}),
  });
}

function compilePolicyAuthorizer(
  { logicalId, properties }: ResolvedResource,
  invoke: InvokeFunction,
  sourceArn: string,
  api: {
    readonly kind: 'REST' | 'WEBSOCKET';
    readonly sources: readonly string[];
    readonly ttlMs: number;
    readonly read: (response: Json) => FlatResponse | undefined;
    /** Members of the event that only this kind of API has. */
    readonly more: (call: MethodCall, resourcePath: string) => JsonObject;
  },
): Authorizer {
  const identityOf = compileIdentitySources(api.kind, api.sources, `${logicalId}.IdentitySource`, api.ttlMs);
  const callFunction = createAuthorizerFunction({
    logicalId,
    uri: properties.AuthorizerUri,
    sourceArn,
    invoke,
    ttlMs: api.ttlMs,
    mayThrowUnauthorized: true,
    read: api.read,
  });
  return async (call, methodArn, resourcePath) => {
    const identity = identityOf(call);
    const startedAt = Date.now();
    const response = await callFunction(identity, () => ({
      ...requestEvent(call, methodArn),
      ...api.more(call, resourcePath),
    }));
    return {
      decision: evaluatePolicy(response, methodArn),
      authorizer: {
        ...response.context,
        principalId: response.principalId,
        integrationLatency: Date.now() - startedAt,
      },
    };
  };
}

/** How a REST or WebSocket API words the refusal of a call that a policy does not allow. */
export function denialOf(decision: Decision): Refusal {
  const text = `User is not authorized to access this resource${decision === 'explicit-deny' ? ' with an explicit deny' : ''}`;
  return new Refusal('ACCESS_DENIED', text);
}

/**
 * What events of REST and WebSocket APIs have in common.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
 */
function requestEvent({ request, context, stageVariables }: MethodCall, methodArn: string): JsonObject {
  const headers = bothMaps(request.headers, true);
  const query = bothMaps(request.query, false);
  return {
    type: 'REQUEST',
    methodArn,
    headers: headers.last,
    multiValueHeaders: headers.all,
    queryStringParameters: query.last,
    multiValueQueryStringParameters: query.all,
    stageVariables,
    requestContext: context,
  };
}
