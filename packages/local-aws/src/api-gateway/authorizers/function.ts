/** The function behind a Lambda authorizer: how it is called, and the cache that keeps its responses. */

import { unsupported } from '../../errors.ts';
import type { Json } from '../../json.ts';
import { functionArnOf, type InvokeFunction } from '../../lambda/invoke.ts';
import { Refusal } from '../refusal.ts';
import { withinMs } from '../within.ts';

/** How an authorizer calls its function. */
interface AuthorizerFunctionOptions<Parsed> {
  /** Named in messages. */
  readonly logicalId: string;
  readonly uri: Json | undefined;
  /** ARN of the authorizer. */
  readonly sourceArn: string;
  readonly invoke: InvokeFunction;
  /** How long a response is kept, milliseconds; 0 keeps none. */
  readonly ttlMs: number;
  /** Whether throwing `Unauthorized` means 401; otherwise it is a failure like any other. */
  readonly mayThrowUnauthorized: boolean;
  /** Checks a response; undefined when API Gateway would not accept it. */
  readonly read: (response: Json) => Parsed | undefined;
}

/**
 * Calls the function about an identity, unless a response for exactly this one is still kept.
 *
 * @param identity values of the identity sources: the key of the cache
 * @throws Refusal UNAUTHORIZED, AUTHORIZER_FAILURE or AUTHORIZER_CONFIGURATION_ERROR
 */
type AuthorizerFunction<Parsed> = (identity: readonly string[], event: () => Json) => Promise<Parsed>;

/** API Gateway gives an authorizer this long, milliseconds. */
const AUTHORIZER_TIMEOUT_MS = 10_000;

/**
 * Reads how an authorizer calls its function.
 *
 * @throws LocalRunError when its URI is not a function's
 */
export function createAuthorizerFunction<Parsed>(
  options: AuthorizerFunctionOptions<Parsed>,
): AuthorizerFunction<Parsed> {
  const { logicalId, uri, sourceArn, invoke, ttlMs, mayThrowUnauthorized, read } = options;
  const functionArn = functionArnOf(uri);
  if (functionArn === undefined)
    throw unsupported(`${logicalId}.AuthorizerUri`, 'a URI that is not a function');
  const cache = new Map<string, { readonly parsed: Parsed; readonly until: number }>();

  const callFunction = async (event: Json): Promise<Parsed> => {
    const called = withinMs(invoke(functionArn, event, sourceArn), AUTHORIZER_TIMEOUT_MS);
    const invocation = await called.catch((cause: unknown) => {
      throw new Refusal('AUTHORIZER_CONFIGURATION_ERROR', null, { cause });
    });
    if (invocation === undefined) throw new Refusal('AUTHORIZER_FAILURE', null);
    if (!invocation.ok) {
      if (mayThrowUnauthorized && invocation.error.errorMessage === 'Unauthorized')
        throw new Refusal('UNAUTHORIZED', 'Unauthorized');
      throw new Refusal('AUTHORIZER_FAILURE', null);
    }
    const parsed = read(JSON.parse(invocation.payload) as Json);
    if (parsed === undefined) throw new Refusal('AUTHORIZER_CONFIGURATION_ERROR', null);
    return parsed;
  };

  return async (identity, event) => {
    const startedAt = Date.now();
    const key = JSON.stringify(identity);
    const held = cache.get(key);
    if (held !== undefined && held.until > startedAt) return held.parsed;
    const parsed = await callFunction(event());
    if (ttlMs > 0) {
      for (const [old, { until }] of cache) if (until <= startedAt) cache.delete(old);
      cache.set(key, { parsed, until: startedAt + ttlMs });
    }
    return parsed;
  };
}
