/** API Gateway's own refusals, in the words of the template. */

import { LocalRunError, unsupported } from '../../errors.ts';
import { type Json, type JsonObject, objectOrEmpty } from '../../json.ts';
import type { ResolvedResource, Resolver } from '../../template/intrinsics.ts';
import { refuseUnknown } from '../../template/properties.ts';
import {
  checkContextVariable,
  compileSubstitution,
  contextVariable,
  type Substitution,
} from '../context-variables.ts';
import { type Refusal, refusalTypes } from '../refusal.ts';
import { type ApiRequest, valuesOf } from '../request.ts';
import { type ApiResponse, withDefaults } from '../response.ts';

/** Words a refusal. */
export type RefusalRenderer = (refusal: Refusal, request: ApiRequest, context: JsonObject) => ApiResponse;

interface Wording {
  readonly status: number | undefined;
  readonly headers: readonly (readonly [name: string, value: ParameterValue])[];
  readonly mediaType: string;
  readonly template: Substitution;
}

/** A header value: computed from the request. */
type ParameterValue = (request: ApiRequest, context: JsonObject) => string;

const plainWording: Wording = {
  status: undefined,
  headers: [],
  mediaType: 'application/json',
  template: compileSubstitution('{"message":$context.error.messageString}', 'default gateway response'),
};

const known = { emulated: 'ResponseParameters ResponseTemplates ResponseType RestApiId StatusCode' };

/**
 * Reads an API's gateway responses.
 *
 * @throws LocalRunError naming the gateway response and what it uses that is unknown
 */
export function compileGatewayResponses(resolver: Resolver, apiId: Json): RefusalRenderer {
  const wordings = new Map<string, Wording>();
  for (const resource of resolver.resourcesOf('AWS::ApiGateway::GatewayResponse')) {
    if (resource.properties.RestApiId !== apiId) continue;
    const type = String(resource.properties.ResponseType);
    if (!Object.hasOwn(refusalTypes, type)) throw unsupported(`${resource.logicalId}.ResponseType`, type);
    wordings.set(type, compileWording(resource));
  }
  return (refusal, request, context) => {
    const fallback = refusal.status >= 500 ? 'DEFAULT_5XX' : 'DEFAULT_4XX';
    const wording = wordings.get(refusal.type) ?? wordings.get(fallback) ?? plainWording;
    const errorContext = {
      ...context,
      error: {
        message: refusal.text,
        messageString: JSON.stringify(refusal.text),
        responseType: refusal.type,
        validationErrorString: null,
      },
    };
    return {
      status: wording.status ?? refusal.status,
      headers: withDefaults(
        wording.headers.map(([name, value]) => [name, value(request, errorContext)] as const),
        ['Content-Type', wording.mediaType],
        ['x-amzn-ErrorType', refusalTypes[refusal.type][1]],
      ),
      body: wording.template(errorContext),
    };
  };
}

function compileWording({ logicalId, properties }: ResolvedResource): Wording {
  refuseUnknown(logicalId, properties, known);
  const [first, ...more] = Object.entries(objectOrEmpty(properties.ResponseTemplates));
  if (more.length > 0) throw unsupported(`${logicalId}.ResponseTemplates`, 'more than one media type');
  return {
    status: properties.StatusCode === undefined ? undefined : Number(properties.StatusCode),
    headers: Object.entries(objectOrEmpty(properties.ResponseParameters)).map(([target, source]) => {
      const where = `${logicalId}.ResponseParameters.${target}`;
      const name = /^gatewayresponse\.header\.(.+)$/.exec(target)?.[1];
      if (name === undefined) throw unsupported(where, 'a target other than gatewayresponse.header.<name>');
      return [name, compileParameter(String(source), where)];
    }),
    mediaType: first?.[0] ?? plainWording.mediaType,
    template:
      first === undefined
        ? plainWording.template
        : compileSubstitution(String(first[1]), `${logicalId}.ResponseTemplates`),
  };
}

/**
 * Reads a parameter mapping's source: `'literal'`, `context.…`, or a request header or query parameter.
 *
 * @throws LocalRunError for any other source
 */
export function compileParameter(source: string, where: string): ParameterValue {
  const literal = /^'(.*)'$/s.exec(source)?.[1];
  if (literal !== undefined) {
    if (/[^\t\x20-\x7e]/.test(literal))
      throw new LocalRunError(`${where}: a header value must be printable ASCII.`);
    return () => literal;
  }
  const variable = /^context\.(.+)$/.exec(source)?.[1];
  if (variable !== undefined) {
    checkContextVariable(variable, where);
    return (_, context) => contextVariable(context, variable);
  }
  const [, position, name = ''] = /^method\.request\.(header|querystring)\.(.+)$/.exec(source) ?? [];
  if (position === 'header') return (request) => valuesOf(request.headers, name).at(-1) ?? '';
  if (position === 'querystring')
    return (request) => request.query.findLast(([sent]) => sent === name)?.[1] ?? '';
  throw unsupported(where, `the source ${source}`);
}
