/** What API Gateway answers when it refuses a request itself, in the words the template gives it. */

import { LocalRunError, unsupported } from '../../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../template/assembly.ts';
import type { ResolvedResource, Resolver } from '../../template/intrinsics.ts';
import type { Answer } from '../call.ts';
import {
  checkContextVariable,
  compileSubstitution,
  contextVariable,
  type Substitution,
} from '../context-variables.ts';
import { type ApiRequest, valuesOf } from '../request.ts';
import { type ApiResponse, type HeaderLine, withDefaults } from '../response.ts';

/** Status and `x-amzn-ErrorType` of each type unless the template says otherwise. https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html */
const types = {
  ACCESS_DENIED: [403, 'AccessDeniedException'],
  API_CONFIGURATION_ERROR: [500, 'InternalServerErrorException'],
  AUTHORIZER_CONFIGURATION_ERROR: [500, 'AuthorizerConfigurationException'],
  AUTHORIZER_FAILURE: [500, 'AuthorizerConfigurationException'],
  BAD_REQUEST_BODY: [400, 'BadRequestException'],
  BAD_REQUEST_PARAMETERS: [400, 'BadRequestException'],
  DEFAULT_4XX: [400, 'BadRequestException'],
  DEFAULT_5XX: [500, 'InternalServerErrorException'],
  EXPIRED_TOKEN: [403, 'ExpiredTokenException'],
  INTEGRATION_FAILURE: [504, 'InternalServerErrorException'],
  INTEGRATION_TIMEOUT: [504, 'InternalServerErrorException'],
  INVALID_API_KEY: [403, 'ForbiddenException'],
  INVALID_SIGNATURE: [403, 'InvalidSignatureException'],
  MISSING_AUTHENTICATION_TOKEN: [403, 'MissingAuthenticationTokenException'],
  QUOTA_EXCEEDED: [429, 'LimitExceededException'],
  REQUEST_TOO_LARGE: [413, 'RequestTooLargeException'],
  RESOURCE_NOT_FOUND: [404, 'NotFoundException'],
  THROTTLED: [429, 'TooManyRequestsException'],
  UNAUTHORIZED: [401, 'UnauthorizedException'],
  UNSUPPORTED_MEDIA_TYPE: [415, 'BadRequestException'],
  WAF_FILTERED: [403, 'ForbiddenException'],
} as const satisfies Record<string, readonly [status: number, errorType: string]>;

/** Why the gateway refuses: API Gateway's own names. */
export type RefusalType = keyof typeof types;

/** A request the gateway answers itself. */
export class Refusal extends Error {
  readonly type: RefusalType;
  /** Status of a refusal that has no type of its own. */
  readonly status: number;
  /** `$context.error.message`; API Gateway leaves it empty when an authorizer fails. */
  readonly text: string | null;
  /** Header lines that say more. */
  readonly headers: readonly HeaderLine[];

  /** @param more `cause` is what went wrong in the local run itself, when that is why */
  constructor(
    type: RefusalType,
    text: string | null,
    more: {
      readonly status?: number;
      readonly headers?: readonly HeaderLine[];
      readonly cause?: unknown;
    } = {},
  ) {
    super(`${type}: ${text}`, { cause: more.cause });
    this.name = 'Refusal';
    this.type = type;
    this.status = more.status ?? types[type][0];
    this.text = text;
    this.headers = more.headers ?? [];
  }
}

/** The refusal a failed request is answered with; whatever is no refusal itself is a fault of the local run. */
export function refusalFor(error: unknown): Refusal {
  return error instanceof Refusal
    ? error
    : new Refusal('DEFAULT_5XX', 'Internal server error', { cause: error });
}

/** A refusal in its final words. */
export function refused(refusal: Refusal, response: ApiResponse): Answer {
  const fault = refusal.cause === undefined ? {} : { fault: String(refusal.cause) };
  return { response, refusal: refusal.type, ...fault };
}

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

const known = new Set(['ResponseParameters', 'ResponseTemplates', 'ResponseType', 'RestApiId', 'StatusCode']);

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
    if (!Object.hasOwn(types, type)) throw unsupported(`${resource.logicalId}.ResponseType`, type);
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
        ['x-amzn-ErrorType', types[refusal.type][1]],
      ),
      body: wording.template(errorContext),
    };
  };
}

function compileWording({ logicalId, properties }: ResolvedResource): Wording {
  for (const property of Object.keys(properties))
    if (!known.has(property)) throw unsupported(`${logicalId}.${property}`, 'this property');
  const templates = isJsonObject(properties.ResponseTemplates) ? properties.ResponseTemplates : {};
  const [first, ...more] = Object.entries(templates);
  if (more.length > 0) throw unsupported(`${logicalId}.ResponseTemplates`, 'more than one media type');
  const parameters = isJsonObject(properties.ResponseParameters) ? properties.ResponseParameters : {};
  return {
    status: properties.StatusCode === undefined ? undefined : Number(properties.StatusCode),
    headers: Object.entries(parameters).map(([target, source]) => {
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
