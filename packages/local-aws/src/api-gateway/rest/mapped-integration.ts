/** Integrations whose request and response are mapped by mapping templates. */

import { LocalRunError, unsupported } from '../../errors.ts';
import { type Json, type JsonObject, objectOrEmpty, objects } from '../../json.ts';
import { refuseUnknown } from '../../template/properties.ts';
import type { Integration, MethodCall } from '../call.ts';
import { Refusal } from '../refusal.ts';
import { mediaTypeOf } from '../request.ts';
import { type ApiResponse, withDefaults } from '../response.ts';
import { compileParameter } from './gateway-responses.ts';
import { compileTemplate, type MappingTemplate } from './mapping-template.ts';

/** The properties of a method that mapping reads. */
export interface MappedMethod {
  readonly logicalId: string;
  readonly integration: JsonObject;
  readonly methodResponses: Json;
}

/**
 * A MOCK integration: the request template names a status, the matching integration response words the response.
 *
 * @throws LocalRunError naming what the integration uses that is unknown or could not be deployed
 */
export function createMockIntegration(method: MappedMethod): Integration {
  const toIntegrationRequest = compileRequestTemplates(method);
  const toResponse = compileIntegrationResponses(method);
  return async (call) => {
    const status = statusOf(toIntegrationRequest(call));
    if (status === undefined) throw new Refusal('API_CONFIGURATION_ERROR', 'Internal server error');
    return toResponse({ selector: status, body: '{}' }, call);
  };
}

function statusOf(integrationRequest: string): string | undefined {
  try {
    const { statusCode } = JSON.parse(integrationRequest) as { statusCode?: unknown };
    return Number.isInteger(statusCode) ? String(statusCode) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads the request templates. The media type of a body selects one; `PassthroughBehavior` decides about a body without
 * one.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html
 */
export function compileRequestTemplates({
  logicalId,
  integration,
}: MappedMethod): (call: MethodCall) => string {
  const templates = compileTemplates(
    integration.RequestTemplates,
    `${logicalId}.Integration.RequestTemplates`,
  );
  const behavior = integration.PassthroughBehavior ?? 'WHEN_NO_MATCH';
  if (!['WHEN_NO_MATCH', 'WHEN_NO_TEMPLATES', 'NEVER'].includes(String(behavior)))
    throw unsupported(`${logicalId}.Integration.PassthroughBehavior`, JSON.stringify(behavior));
  return ({ request, context }) => {
    const template = templates.get(mediaTypeOf(request.headers, 'content-type') ?? 'application/json');
    if (template !== undefined) return template(context, request.body.toString('utf8')).text;
    if (behavior === 'NEVER' || (behavior === 'WHEN_NO_TEMPLATES' && templates.size > 0))
      throw new Refusal('UNSUPPORTED_MEDIA_TYPE', 'Unsupported Media Type');
    return request.body.toString('utf8');
  };
}

/** What an integration gave. */
interface IntegrationResult {
  /** What selects the integration response: the status. */
  readonly selector: string;
  /** What `$input` reads. */
  readonly body: string;
}

interface IntegrationResponse {
  /** The whole selector must match; undefined for the default response. */
  readonly pattern: RegExp | undefined;
  readonly render: (body: string, call: MethodCall) => ApiResponse;
}

/** Reads the integration responses: the first whose pattern matches is used, otherwise the default. */
export function compileIntegrationResponses(
  method: MappedMethod,
): (result: IntegrationResult, call: MethodCall) => ApiResponse {
  const responses = objects(method.integration.IntegrationResponses).map((response, at) =>
    compileIntegrationResponse(
      response,
      `${method.logicalId}.Integration.IntegrationResponses[${at}]`,
      method,
    ),
  );
  return ({ selector, body }, call) => {
    const chosen =
      responses.find(({ pattern }) => pattern?.test(selector)) ??
      responses.find(({ pattern }) => pattern === undefined);
    if (chosen === undefined) throw new Refusal('API_CONFIGURATION_ERROR', 'Internal server error');
    return chosen.render(body, call);
  };
}

const known = { emulated: 'ResponseParameters ResponseTemplates SelectionPattern StatusCode' };

function compileIntegrationResponse(
  response: JsonObject,
  where: string,
  { methodResponses }: MappedMethod,
): IntegrationResponse {
  refuseUnknown(where, response, known);
  const declared = objects(methodResponses).find(({ StatusCode }) => StatusCode === response.StatusCode);
  if (declared === undefined)
    throw new LocalRunError(
      `${where}: status ${response.StatusCode} is not among the method's MethodResponses.`,
    );
  const headers = Object.entries(objectOrEmpty(response.ResponseParameters)).map(([target, source]) => {
    const name = /^method\.response\.header\.(.+)$/.exec(target)?.[1];
    if (name === undefined)
      throw unsupported(`${where}.${target}`, 'a target other than method.response.header.<name>');
    if (!Object.hasOwn(objectOrEmpty(declared.ResponseParameters), target))
      throw new LocalRunError(`${where}: ${target} is not declared in the method's MethodResponses.`);
    return [name, compileParameter(String(source), `${where}.${target}`)] as const;
  });
  const [first, ...more] = compileTemplates(response.ResponseTemplates, `${where}.ResponseTemplates`);
  if (more.length > 0) throw unsupported(`${where}.ResponseTemplates`, 'more than one media type');
  const [mediaType, template] = first ?? ['application/json', nothing];
  return {
    pattern:
      response.SelectionPattern === undefined
        ? undefined
        : new RegExp(`^(?:${response.SelectionPattern})$`, 's'),
    render: (body, { request, context }) => {
      const rendering = template(context, body);
      return {
        status: rendering.status ?? Number(response.StatusCode),
        headers: withDefaults(
          Object.entries(rendering.headers),
          ...withDefaults(
            headers.map(([name, value]) => [name, value(request, context)] as const),
            ['Content-Type', mediaType],
          ),
        ),
        body: rendering.text,
      };
    },
  };
}

const nothing: MappingTemplate = () => ({ text: '', headers: {} });

function compileTemplates(templates: Json | undefined, where: string): Map<string, MappingTemplate> {
  return new Map(
    Object.entries(objectOrEmpty(templates)).map(([mediaType, text]) => [
      mediaType,
      compileTemplate(String(text), where),
    ]),
  );
}
