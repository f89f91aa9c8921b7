/**
 * Renders the mapping templates the stack uses: text with `$context` variables. API Gateway would run integration
 * templates through Velocity; whatever needs Velocity is refused instead of half understood.
 */
import { unsupported } from './errors.ts';
import { isJsonObject, type Json, type JsonObject } from './template.ts';

/** A checked template: renders to text. */
export type MappingTemplate = (context: JsonObject) => string;

/** `$context` members that exist here; those of an authorizer are whatever it returns. */
const knownContext =
  /^(accountId|apiId|domainName|domainPrefix|extendedRequestId|httpMethod|identity\.(sourceIp|userAgent)|path|protocol|requestId|requestTime|requestTimeEpoch|resourceId|resourcePath|stage|error\.(message|messageString|responseType|validationErrorString)|authorizer\.\w+)$/;

const reference = /\$(context((?:\.\w+)+)|util\.escapeJavaScript\(\$context((?:\.\w+)+)\))/g;

/**
 * Checks a template.
 *
 * @param where named in the message when the template uses something unknown
 * @throws LocalRunError naming the expression
 */
export function compileTemplate(text: string, where: string): MappingTemplate {
  for (const [, , plain, escaped] of text.matchAll(reference))
    checkContextVariable((plain ?? escaped ?? '').slice(1), where);
  const [unknown] = /[$#][!{]?[A-Za-z][\w.]*/.exec(text.replace(reference, '')) ?? [];
  if (unknown !== undefined) throw unsupported(where, `the expression ${unknown}`);
  return (context) =>
    text.replace(reference, (_, _expression, plain?: string, escaped?: string) =>
      plain === undefined
        ? escapeJavaScript(contextVariable(context, (escaped ?? '').slice(1)))
        : contextVariable(context, plain.slice(1)),
    );
}

/** Makes sure a `$context` member is one that exists here. @throws LocalRunError */
export function checkContextVariable(name: string, where: string): void {
  if (!knownContext.test(name)) throw unsupported(where, `the variable $context.${name}`);
}

/** The text of a `$context` member; empty when it has no value. */
export function contextVariable(context: JsonObject, name: string): string {
  const value = name
    .split('.')
    .reduce<Json | undefined>(
      (at, key) => (isJsonObject(at) && Object.hasOwn(at, key) ? at[key] : undefined),
      context,
    );
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html#util-template-reference */
function escapeJavaScript(text: string): string {
  return JSON.stringify(text).slice(1, -1).replaceAll("'", "\\'").replaceAll('/', '\\/');
}
