/** Lambda authorizers: identity sources, the call, and the cache that keeps an answer for every route. */
import { functionArnOf, type InvokeFunction, type MethodCall, withinMs } from './api-method.ts';
import { bothMaps, valuesOf } from './api-request.ts';
import { LocalRunError, unsupported } from './errors.ts';
import { Refusal } from './gateway-responses.ts';
import type { ResolvedResource } from './intrinsics.ts';
import { type AuthorizerAnswer, type Decision, evaluatePolicy, parseAuthorizerAnswer } from './policy.ts';
import { contextVariable } from './substitution.ts';
import type { Json, JsonObject } from './template.ts';

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

/** API Gateway gives an authorizer this long, milliseconds. */
const AUTHORIZER_TIMEOUT_MS = 10_000;

/** How long an answer is kept unless the template says otherwise, seconds. */
const DEFAULT_TTL_SECONDS = 300;

/** Properties without effect here; the function is called directly, with nobody's credentials. */
const withoutEffect = ['AuthType', 'AuthorizerCredentials', 'Name', 'RestApiId'];
const known = [
  'AuthorizerResultTtlInSeconds',
  'AuthorizerUri',
  'IdentitySource',
  'IdentityValidationExpression',
  'Type',
  ...withoutEffect,
];

type IdentitySource = (call: MethodCall) => string;

/**
 * Reads an authorizer.
 *
 * @throws LocalRunError naming the property that is unknown or cannot be deployed
 */
export function compileAuthorizer(
  { logicalId, properties }: ResolvedResource,
  invoke: InvokeFunction,
): Authorizer {
  for (const property of Object.keys(properties))
    if (!known.includes(property)) throw unsupported(`${logicalId}.${property}`, 'this property');
  const type = properties.Type;
  if (type !== 'TOKEN' && type !== 'REQUEST') throw unsupported(`${logicalId}.Type`, JSON.stringify(type));
  const functionArn = functionArnOf(properties.AuthorizerUri);
  if (functionArn === undefined)
    throw unsupported(`${logicalId}.AuthorizerUri`, 'a URI that is not a function');
  const ttlMs = Number(properties.AuthorizerResultTtlInSeconds ?? DEFAULT_TTL_SECONDS) * 1000;
  const sources = String(properties.IdentitySource ?? '')
    .split(',')
    .map((source) => source.trim())
    .filter((source) => source !== '')
    .map((source) => compileIdentitySource(source, `${logicalId}.IdentitySource`));
  if (type === 'TOKEN' && sources.length !== 1)
    throw new LocalRunError(
      `${logicalId}.IdentitySource: a TOKEN authorizer has exactly one identity source.`,
    );
  if (ttlMs > 0 && sources.length === 0)
    throw new LocalRunError(
      `${logicalId}.IdentitySource: an authorizer with a cache needs an identity source.`,
    );
  const pattern = properties.IdentityValidationExpression;
  const valid = pattern === undefined ? undefined : new RegExp(`^(?:${pattern})$`);
  const cache = new Map<string, { readonly answer: AuthorizerAnswer; readonly until: number }>();

  const ask = async (event: Json): Promise<AuthorizerAnswer> => {
    const invocation = await withinMs(invoke(functionArn, event), AUTHORIZER_TIMEOUT_MS, undefined);
    if (invocation === undefined) throw new Refusal('AUTHORIZER_FAILURE', null);
    if (!invocation.ok) {
      if (invocation.error.errorMessage === 'Unauthorized') throw new Refusal('UNAUTHORIZED', 'Unauthorized');
      throw new Refusal('AUTHORIZER_FAILURE', null);
    }
    const answer = parseAuthorizerAnswer(JSON.parse(invocation.payload) as Json);
    if (answer === undefined) throw new Refusal('AUTHORIZER_CONFIGURATION_ERROR', null);
    return answer;
  };

  return async (call, methodArn, resourcePath) => {
    const identity = sources.map((source) => source(call));
    const [token = ''] = identity;
    if (identity.some((value) => value === '') || valid?.test(token) === false)
      throw new Refusal('UNAUTHORIZED', 'Unauthorized');
    const startedAt = Date.now();
    const key = JSON.stringify(identity);
    const held = cache.get(key);
    let answer = held !== undefined && held.until > startedAt ? held.answer : undefined;
    if (answer === undefined) {
      answer = await ask(
        type === 'TOKEN'
          ? { type, methodArn, authorizationToken: token }
          : requestEvent(call, methodArn, resourcePath),
      );
      if (ttlMs > 0) remember(cache, key, { answer, until: startedAt + ttlMs }, startedAt);
    }
    return {
      decision: evaluatePolicy(answer, methodArn),
      authorizer: {
        ...answer.context,
        principalId: answer.principalId,
        integrationLatency: Date.now() - startedAt,
      },
    };
  };
}

function remember<V extends { readonly until: number }>(
  cache: Map<string, V>,
  key: string,
  value: V,
  now: number,
): void {
  for (const [old, { until }] of cache) if (until <= now) cache.delete(old);
  cache.set(key, value);
}

/** Reads where a caller's identity stands. Several values of one header are one identity, in their order. */
function compileIdentitySource(source: string, where: string): IdentitySource {
  const [, position, name = ''] =
    /^(method\.request\.header|method\.request\.querystring|stageVariables|context)\.(.+)$/.exec(source) ??
    [];
  switch (position) {
    case 'method.request.header':
      return ({ request }) => valuesOf(request.headers, name).join(',');
    case 'method.request.querystring':
      return ({ request }) =>
        request.query
          .filter(([sent]) => sent === name)
          .map(([, value]) => value)
          .join(',');
    case 'stageVariables':
      return ({ stageVariables }) => stageVariables[name] ?? '';
    case 'context':
      return ({ context }) => contextVariable(context, name);
    default:
      throw unsupported(where, `the identity source ${source}`);
  }
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html */
function requestEvent(call: MethodCall, methodArn: string, resourcePath: string): Json {
  const { request, context } = call;
  const headers = bothMaps(request.headers, true);
  const query = bothMaps(request.query, false);
  return {
    type: 'REQUEST',
    methodArn,
    resource: resourcePath,
    path: request.path,
    httpMethod: request.method,
    headers: headers.last,
    multiValueHeaders: headers.all,
    queryStringParameters: query.last,
    multiValueQueryStringParameters: query.all,
    pathParameters: call.pathParameters,
    stageVariables: call.stageVariables,
    requestContext: context,
  };
}
