/** Lambda authorizers of REST and WebSocket APIs: what they ask their function, and what its policy decides. */

import { LocalRunError, refuseUnknown, unsupported } from '../../errors.ts';
import type { JsonObject } from '../../template/assembly.ts';
import type { ResolvedResource } from '../../template/intrinsics.ts';
import type { InvokeFunction, MethodCall } from '../call.ts';
import { bothMaps } from '../request.ts';
import { Refusal } from '../rest/gateway-responses.ts';
import { createAuthorizerFunction } from './function.ts';
import { compileIdentitySources } from './identity-source.ts';
import { type Decision, evaluatePolicy, parseFlatAnswer } from './policy.ts';

/** A verdict, with what the function said about the caller. */
export interface Verdict {
  readonly decision: Decision;
  /** `$context.authorizer`. */
  readonly authorizer: JsonObject;
}

/**
 * Decides about a call.
 *
 * @throws Refusal UNAUTHORIZED, AUTHORIZER_FAILURE or AUTHORIZER_CONFIGURATION_ERROR
 */
export type Authorizer = (call: MethodCall, methodArn: string, resourcePath: string) => Promise<Verdict>;

/** How long a REST API keeps an answer unless the template says otherwise, seconds. */
const DEFAULT_TTL_SECONDS = 300;

const known = [
  'AuthType',
  'AuthorizerResultTtlInSeconds',
  'AuthorizerUri',
  'IdentitySource',
  'IdentityValidationExpression',
  'Name',
  'RestApiId',
  'Type',
];

/**
 * Reads an authorizer of a REST API.
 *
 * @param sourceArn ARN of the authorizer, which the function's permission names
 * @throws LocalRunError naming the property that is unknown or cannot be deployed
 */
export function compileAuthorizer(
  { logicalId, properties }: ResolvedResource,
  invoke: InvokeFunction,
  sourceArn: string,
): Authorizer {
  refuseUnknown(logicalId, properties, known);
  const type = properties.Type;
  if (type !== 'TOKEN' && type !== 'REQUEST') throw unsupported(`${logicalId}.Type`, JSON.stringify(type));
  const ttlMs = Number(properties.AuthorizerResultTtlInSeconds ?? DEFAULT_TTL_SECONDS) * 1000;
  const sources = String(properties.IdentitySource ?? '')
    .split(',')
    .map((source) => source.trim())
    .filter((source) => source !== '');
  if (type === 'TOKEN' && sources.length !== 1)
    throw new LocalRunError(
      `${logicalId}.IdentitySource: a TOKEN authorizer has exactly one identity source.`,
    );
  const identityOf = compileIdentitySources('REST', sources, `${logicalId}.IdentitySource`, ttlMs);
  const pattern = properties.IdentityValidationExpression;
  const valid = pattern === undefined ? undefined : new RegExp(`^(?:${pattern})$`);
  const ask = createAuthorizerFunction({
    logicalId,
    uri: properties.AuthorizerUri,
    sourceArn,
    invoke,
    ttlMs,
    mayThrowUnauthorized: true,
    read: parseFlatAnswer,
  });

  return async (call, methodArn, resourcePath) => {
    const identity = identityOf(call);
    const [token = ''] = identity;
    if (valid?.test(token) === false) throw new Refusal('UNAUTHORIZED', 'Unauthorized');
    const startedAt = Date.now();
    const answer = await ask(identity, () =>
      type === 'TOKEN'
        ? { type, methodArn, authorizationToken: token }
        : {
            ...requestEvent(call, methodArn),
            resource: resourcePath,
            path: call.request.path,
            httpMethod: call.request.method,
            pathParameters: call.pathParameters,
          },
    );
    return verdictOf(answer, methodArn, startedAt);
  };
}

/** Reads the authorizer of a WebSocket API's `$connect` route; there is no cache for those. @throws LocalRunError */
export function compileWebSocketAuthorizer(
  { logicalId, properties }: ResolvedResource,
  invoke: InvokeFunction,
  sourceArn: string,
): Authorizer {
  refuseUnknown(logicalId, properties, [
    'ApiId',
    'AuthorizerType',
    'AuthorizerUri',
    'IdentitySource',
    'Name',
  ]);
  if (properties.AuthorizerType !== 'REQUEST')
    throw unsupported(`${logicalId}.AuthorizerType`, JSON.stringify(properties.AuthorizerType));
  const sources = (properties.IdentitySource ?? []) as readonly string[];
  const identityOf = compileIdentitySources('WEBSOCKET', sources, `${logicalId}.IdentitySource`, 0);
  const ask = createAuthorizerFunction({
    logicalId,
    uri: properties.AuthorizerUri,
    sourceArn,
    invoke,
    ttlMs: 0,
    mayThrowUnauthorized: true,
    read: (answer) =>
      JSON.stringify(answer).length > MAX_WEB_SOCKET_ANSWER ? undefined : parseFlatAnswer(answer),
  });
  return async (call, methodArn) => {
    const identity = identityOf(call);
    const startedAt = Date.now();
    return verdictOf(await ask(identity, () => requestEvent(call, methodArn)), methodArn, startedAt);
  };
}

/** Longest answer of an authorizer that a WebSocket API takes, characters. */
const MAX_WEB_SOCKET_ANSWER = 8192;

function verdictOf(
  answer: NonNullable<ReturnType<typeof parseFlatAnswer>>,
  methodArn: string,
  startedAt: number,
): Verdict {
  return {
    decision: evaluatePolicy(answer, methodArn),
    authorizer: {
      ...answer.context,
      principalId: answer.principalId,
      integrationLatency: Date.now() - startedAt,
    },
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
