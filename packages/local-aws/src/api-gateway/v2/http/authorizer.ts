/** Lambda authorizers of HTTP APIs: payload 1.0 and 2.0, simple responses and policies. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html */

import { LocalRunError, unsupported } from '../../../errors.ts';
import { isJsonObject, type Json, list } from '../../../json.ts';
import type { InvokeFunction } from '../../../lambda/invoke.ts';
import { refuseUnknown } from '../../../template/properties.ts';
import { createAuthorizerFunction } from '../../authorizers/function.ts';
import { compileIdentitySources } from '../../authorizers/identity-source.ts';
import { evaluatePolicy, parseAuthorizerResponse, parseFlatResponse } from '../../authorizers/policy.ts';
import { Refusal } from '../../refusal.ts';
import type { AuthorizerV2 } from '../template.ts';
import { authorizerEvent, type Caller, type HttpCall, routeArnOf } from './event.ts';

/**
 * Finds the caller of a route.
 *
 * @throws Refusal UNAUTHORIZED, ACCESS_DENIED, AUTHORIZER_FAILURE or AUTHORIZER_CONFIGURATION_ERROR
 */
export type HttpAuthorizer = (call: HttpCall) => Promise<Caller>;

/** Decides about a call by what the function returned: who calls, or undefined when the call is not allowed. */
type Decide = (call: HttpCall) => Caller | undefined;

const known = {
  emulated:
    'ApiId AuthorizerPayloadFormatVersion AuthorizerResultTtlInSeconds AuthorizerType AuthorizerUri EnableSimpleResponses IdentitySource',
  ignored: 'Name',
};

/** Longest that a response may be kept, seconds. */
const MAX_TTL_SECONDS = 3600;

/**
 * Reads an authorizer of type REQUEST. Its cache keeps responses of the function, for all routes that use it, so a policy
 * is evaluated for each call.
 *
 * @throws LocalRunError naming the property that is unknown or cannot be deployed
 */
export function compileHttpAuthorizer(authorizer: AuthorizerV2, invoke: InvokeFunction): HttpAuthorizer {
  const { logicalId, properties } = authorizer.resource;
  refuseUnknown(logicalId, properties, known);
  const version = properties.AuthorizerPayloadFormatVersion;
  if (version !== '1.0' && version !== '2.0')
    throw unsupported(`${logicalId}.AuthorizerPayloadFormatVersion`, JSON.stringify(version) ?? 'none');
  const simple = properties.EnableSimpleResponses === true;
  if (simple && version === '1.0')
    throw new LocalRunError(`${logicalId}.EnableSimpleResponses: simple responses need payload format 2.0.`);
  const ttlSeconds = Number(properties.AuthorizerResultTtlInSeconds ?? 0);
  if (!(ttlSeconds >= 0 && ttlSeconds <= MAX_TTL_SECONDS))
    throw new LocalRunError(`${logicalId}.AuthorizerResultTtlInSeconds: from 0 to ${MAX_TTL_SECONDS}.`);
  const sources = list(properties.IdentitySource).map(String);
  const where = `${logicalId}.IdentitySource`;
  const identityOf = compileIdentitySources('HTTP', sources, where, ttlSeconds * 1000);
  const callFunction = createAuthorizerFunction({
    logicalId,
    uri: properties.AuthorizerUri,
    sourceArn: authorizer.arn,
    invoke,
    ttlMs: ttlSeconds * 1000,
    // Documented for REST and WebSocket APIs only.
    mayThrowUnauthorized: false,
    read: simple ? readSimple : (response) => readPolicy(response, version),
  });
  return async (call) => {
    const identity = identityOf(call);
    const decide = await callFunction(identity, () =>
      authorizerEvent(call, version, sources.length === 0 ? undefined : identity),
    );
    const caller = decide(call);
    if (caller === undefined) throw new Refusal('ACCESS_DENIED', 'Forbidden');
    return caller;
  };
}

/** Only a real boolean decides: `"false"` is truthy. */
function readSimple(response: Json): Decide | undefined {
  if (!isJsonObject(response) || typeof response.isAuthorized !== 'boolean') return undefined;
  const { isAuthorized, context = null } = response;
  if (context !== null && !isJsonObject(context)) return undefined;
  return () => (isAuthorized ? { kind: 'lambda', context, principalId: undefined } : undefined);
}

function readPolicy(response: Json, version: '1.0' | '2.0'): Decide | undefined {
  const policy = version === '2.0' ? parseAuthorizerResponse(response) : parseFlatResponse(response);
  if (policy === undefined) return undefined;
  const { context, principalId } = policy;
  return (call) =>
    evaluatePolicy(policy, routeArnOf(call)) === 'allow'
      ? { kind: 'lambda', context, principalId }
      : undefined;
}
