/** Where a request carries the caller's identity: authorizers require it, and it is the key of their caches. */

import { LocalRunError, unsupported } from '../../errors.ts';
import type { MethodCall } from '../call.ts';
import { contextVariable } from '../context-variables.ts';
import { Refusal } from '../refusal.ts';
import { valuesOf } from '../request.ts';

/**
 * Reads the identity out of a request: one value per source, none of them empty.
 *
 * @throws Refusal UNAUTHORIZED when one is missing or empty
 */
type IdentityReader = (call: MethodCall) => readonly string[];

/** How each kind of API writes its sources. */
const dialects = {
  REST: { request: 'method.request.', other: '' },
  HTTP: { request: '$request.', other: '$' },
  WEBSOCKET: { request: 'route.request.', other: '' },
} as const;

/**
 * Reads the identity sources of an authorizer.
 *
 * @param where named in messages
 * @throws LocalRunError naming a source that is unknown, or a cache that has no key
 */
export function compileIdentitySources(
  kind: keyof typeof dialects,
  sources: readonly string[],
  where: string,
  ttlMs: number,
): IdentityReader {
  if (ttlMs > 0 && sources.length === 0)
    throw new LocalRunError(`${where}: an authorizer with a cache needs an identity source.`);
  const readers = sources.map((source) => compileSource(kind, source, where));
  return (call) => {
    const identity = readers.map((read) => read(call));
    if (identity.some((value) => value === '')) throw new Refusal('UNAUTHORIZED', 'Unauthorized');
    return identity;
  };
}

/** Several values of one name are one identity, in their order. */
function compileSource(
  kind: keyof typeof dialects,
  source: string,
  where: string,
): (call: MethodCall) => string {
  const { request, other } = dialects[kind];
  const nameAfter = (prefix: string): string | undefined =>
    source.startsWith(prefix) && source.length > prefix.length ? source.slice(prefix.length) : undefined;

  const header = nameAfter(`${request}header.`);
  if (header !== undefined) return (call) => valuesOf(call.request.headers, header).join(',');
  const parameter = nameAfter(`${request}querystring.`);
  if (parameter !== undefined)
    return (call) =>
      call.request.query
        .filter(([sent]) => sent === parameter)
        .map(([, value]) => value)
        .join(',');
  const stageVariable = nameAfter(`${other}stageVariables.`);
  if (stageVariable !== undefined) return ({ stageVariables }) => stageVariables[stageVariable] ?? '';
  const variable = nameAfter(`${other}context.`);
  if (variable !== undefined) return ({ context }) => contextVariable(context, variable);
  throw unsupported(where, `the identity source ${source}`);
}
