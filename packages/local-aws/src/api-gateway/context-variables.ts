/**
 * Fills `$context` variables into text. API Gateway does no more than that with gateway responses, header values and
 * identity sources: they never reach its template engine.
 *
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-gateway-responses.gatewayResponse.html
 */

import { unsupported } from '../errors.ts';
import { type JsonObject, memberAt } from '../json.ts';

/** A checked text with variables in it. */
export type Substitution = (context: JsonObject) => string;

/** `$context` members that exist here; those of an authorizer are whatever it returns. */
const knownContext =
  /^(accountId|apiId|domainName|domainPrefix|extendedRequestId|httpMethod|identity\.(sourceIp|userAgent)|path|protocol|requestId|requestTime|requestTimeEpoch|resourceId|resourcePath|stage|error\.(message|messageString|responseType|validationErrorString)|authorizer\.\w+)$/;

const reference = /\$context\.(\w+(?:\.\w+)*)/g;

/**
 * Checks a text.
 *
 * @param where named in the message when the text uses something unknown
 * @throws LocalRunError naming the expression
 */
export function compileSubstitution(text: string, where: string): Substitution {
  for (const [, name] of text.matchAll(reference)) checkContextVariable(name ?? '', where);
  const [unknown] = /[$#][!{]?[A-Za-z][\w.]*/.exec(text.replace(reference, '')) ?? [];
  if (unknown !== undefined) throw unsupported(where, `the expression ${unknown}`);
  return (context) => text.replace(reference, (_, name: string) => contextVariable(context, name));
}

/** Makes sure a `$context` member is one that exists here. @throws LocalRunError */
export function checkContextVariable(name: string, where: string): void {
  if (!knownContext.test(name)) throw unsupported(where, `the variable $context.${name}`);
}

/** The text of a `$context` member; empty when it has no value. */
export function contextVariable(context: JsonObject, name: string): string {
  const value = memberAt(context, name.split('.'));
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
