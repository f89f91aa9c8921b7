/** Reads the REST API out of a template: its methods, what protects them, and what answers them. */

import { LocalRunError, unsupported } from '../../errors.ts';
import type { ServiceEndpoints } from '../../lambda/functions.ts';
import { isJsonObject, type Json, type JsonObject } from '../../template/assembly.ts';
import type { ResolvedResource, Resolver } from '../../template/intrinsics.ts';
import { apiArnOf } from '../../template/physical-names.ts';
import { type Authorizer, compileAuthorizer } from '../authorizers/policy-authorizer.ts';
import {
  type ApiMethod,
  functionArnOf,
  type Integration,
  type InvokeFunction,
  type RequiredParameter,
} from '../call.ts';
import { createLambdaProxy } from '../lambda-proxy.ts';
import { createAwsIntegration } from './aws-integration.ts';
import { compileGatewayResponses, type RefusalRenderer } from './gateway-responses.ts';
import { createMockIntegration } from './mapped-integration.ts';

/** An API, ready to be served. */
export interface RestApi {
  readonly logicalId: string;
  readonly id: string;
  readonly stage: string;
  readonly stageVariables: Readonly<Record<string, string>>;
  readonly methods: readonly ApiMethod[];
  readonly refuse: RefusalRenderer;
  /** `arn:aws:execute-api:<region>:<account>:<api>/<stage>`. */
  readonly stageArn: string;
}

/** The properties of each type: `true` where they are played, a text where they have no effect and why. */
const properties = {
  'AWS::ApiGateway::RestApi': {
    ApiKeySourceType: 'API keys are refused anyway',
    BinaryMediaTypes: true,
    Description: 'text',
    DisableExecuteApiEndpoint: 'there is one endpoint',
    EndpointConfiguration: 'there is one endpoint',
    Name: 'text',
    Tags: 'text',
  },
  'AWS::ApiGateway::Resource': { ParentId: true, PathPart: true, RestApiId: true },
  'AWS::ApiGateway::RequestValidator': {
    Name: 'text',
    RestApiId: true,
    ValidateRequestBody: true,
    ValidateRequestParameters: true,
  },
  'AWS::ApiGateway::Stage': {
    AccessLogSetting: 'the local run prints its own line per request',
    DeploymentId: 'there is one deployment',
    Description: 'text',
    MethodSettings: 'throttling, logs and metrics are not played',
    RestApiId: true,
    StageName: true,
    Tags: 'text',
    TracingEnabled: 'traces are not collected',
    Variables: true,
  },
  'AWS::ApiGateway::Method': {
    ApiKeyRequired: true,
    AuthorizationType: true,
    AuthorizerId: true,
    HttpMethod: true,
    Integration: true,
    MethodResponses: true,
    OperationName: 'text',
    RequestParameters: true,
    RequestValidatorId: true,
    ResourceId: true,
    RestApiId: true,
  },
  Integration: {
    ConnectionType: true,
    Credentials: true,
    IntegrationHttpMethod: 'Lambda and DynamoDB are always called with POST',
    IntegrationResponses: true,
    PassthroughBehavior: true,
    RequestTemplates: true,
    TimeoutInMillis: true,
    Type: true,
    Uri: true,
  },
} as const;

function checkProperties(type: keyof typeof properties, where: string, given: JsonObject): void {
  for (const property of Object.keys(given))
    if (!Object.hasOwn(properties[type], property))
      throw unsupported(`${where}.${property}`, 'this property');
}

/** API Gateway's limit for an integration unless the method sets a shorter one, milliseconds. */
const DEFAULT_INTEGRATION_TIMEOUT_MS = 29_000;

/**
 * Reads the template's REST API.
 *
 * @param endpoints the AWS services that integrations call
 * @throws LocalRunError when there is not exactly one, or it uses something the local run does not know
 */
export function compileRestApi(
  resolver: Resolver,
  invoke: InvokeFunction,
  endpoints: ServiceEndpoints,
): RestApi {
  const read = (type: Exclude<keyof typeof properties, 'Integration'>): readonly ResolvedResource[] => {
    const resources = resolver.resourcesOf(type);
    for (const { logicalId, properties: given } of resources) checkProperties(type, logicalId, given);
    return resources;
  };
  const api = only(read('AWS::ApiGateway::RestApi'), 'AWS::ApiGateway::RestApi');
  const stage = only(read('AWS::ApiGateway::Stage'), 'AWS::ApiGateway::Stage');
  const { ref, attributes } = resolver.names(api.logicalId);
  const id = String(ref);
  const stageName = String(stage.properties.StageName);
  const apiArn = apiArnOf(id);
  const stageArn = `${apiArn}/${stageName}`;

  const authorizers = new Map<Json, Authorizer>(
    resolver.resourcesOf('AWS::ApiGateway::Authorizer').map((authorizer) => {
      const { ref: authorizerId } = resolver.names(authorizer.logicalId);
      return [authorizerId, compileAuthorizer(authorizer, invoke, `${apiArn}/authorizers/${authorizerId}`)];
    }),
  );
  const validators = new Map(
    read('AWS::ApiGateway::RequestValidator').map((validator) => [
      resolver.names(validator.logicalId).ref,
      validator,
    ]),
  );
  const paths = resourcePaths(resolver, read('AWS::ApiGateway::Resource'), attributes.RootResourceId ?? null);
  const binaryMediaTypes = texts(api.properties.BinaryMediaTypes);
  const roles = new Map(
    resolver
      .resourcesOf('AWS::IAM::Role')
      .map((role) => [resolver.names(role.logicalId).attributes.Arn ?? null, role.logicalId]),
  );

  const methods = read('AWS::ApiGateway::Method').map(({ logicalId, properties: method }): ApiMethod => {
    if (method.ApiKeyRequired === true) throw unsupported(`${logicalId}.ApiKeyRequired`, 'an API key');
    const resourcePath = paths.get(method.ResourceId ?? null);
    if (resourcePath === undefined)
      throw new LocalRunError(`${logicalId}.ResourceId: there is no such resource.`);
    return {
      logicalId,
      httpMethod: String(method.HttpMethod),
      resourceId: String(method.ResourceId),
      resourcePath,
      authorizer: authorizerOf(logicalId, method, authorizers),
      requiredParameters: requiredParameters(logicalId, method, validators),
      integration: compileIntegration(logicalId, method, {
        resourcePath,
        stageArn,
        binaryMediaTypes,
        invoke,
        endpoints,
        roles,
      }),
    };
  });

  return {
    logicalId: api.logicalId,
    id,
    stage: stageName,
    stageVariables: isJsonObject(stage.properties.Variables)
      ? (stage.properties.Variables as Record<string, string>)
      : {},
    methods,
    refuse: compileGatewayResponses(resolver, id),
    stageArn,
  };
}

function only(resources: readonly ResolvedResource[], type: string): ResolvedResource {
  const [first, ...more] = resources;
  if (first === undefined || more.length > 0)
    throw new LocalRunError(
      `The local run serves exactly one ${type}; the template has ${resources.map(({ logicalId }) => logicalId).join(', ') || 'none'}.`,
    );
  return first;
}

/** Path of each resource, by its id. */
function resourcePaths(
  resolver: Resolver,
  resources: readonly ResolvedResource[],
  rootId: Json,
): ReadonlyMap<Json, string> {
  const byId = new Map(resources.map((resource) => [resolver.names(resource.logicalId).ref, resource]));
  const pathOf = (id: Json): string => {
    if (id === rootId) return '';
    const resource = byId.get(id);
    if (resource === undefined)
      throw new LocalRunError(`The template has no API resource with the id ${id}.`);
    return `${pathOf(resource.properties.ParentId ?? null)}/${resource.properties.PathPart}`;
  };
  return new Map([[rootId, '/'], ...[...byId.keys()].map((id): [Json, string] => [id, pathOf(id)])]);
}

function authorizerOf(
  logicalId: string,
  method: JsonObject,
  authorizers: ReadonlyMap<Json, Authorizer>,
): Authorizer | undefined {
  const type = method.AuthorizationType ?? 'NONE';
  if (type === 'NONE') return undefined;
  if (type !== 'CUSTOM') throw unsupported(`${logicalId}.AuthorizationType`, JSON.stringify(type));
  const authorizer = authorizers.get(method.AuthorizerId ?? null);
  if (authorizer === undefined)
    throw new LocalRunError(`${logicalId}.AuthorizerId: there is no such authorizer.`);
  return authorizer;
}

function requiredParameters(
  logicalId: string,
  method: JsonObject,
  validators: ReadonlyMap<Json, ResolvedResource>,
): readonly RequiredParameter[] {
  if (method.RequestValidatorId === undefined) return [];
  const validator = validators.get(method.RequestValidatorId)?.properties ?? {};
  if (validator.ValidateRequestBody === true)
    throw unsupported(`${logicalId}.RequestValidatorId`, 'validating bodies');
  if (validator.ValidateRequestParameters !== true || !isJsonObject(method.RequestParameters)) return [];
  return Object.entries(method.RequestParameters)
    .filter(([, required]) => required === true)
    .map(([parameter]) => {
      const [, position, name = ''] = /^method\.request\.(header|querystring)\.(.+)$/.exec(parameter) ?? [];
      if (position !== 'header' && position !== 'querystring')
        throw unsupported(`${logicalId}.RequestParameters`, `requiring ${parameter}`);
      return { position, name };
    });
}

function compileIntegration(
  logicalId: string,
  method: JsonObject,
  api: {
    readonly resourcePath: string;
    readonly stageArn: string;
    readonly binaryMediaTypes: readonly string[];
    readonly invoke: InvokeFunction;
    readonly endpoints: ServiceEndpoints;
    /** Logical id of each role, by its ARN. */
    readonly roles: ReadonlyMap<Json, string>;
  },
): Integration {
  const integration = isJsonObject(method.Integration) ? method.Integration : {};
  const where = `${logicalId}.Integration`;
  checkProperties('Integration', where, integration);
  if ((integration.ConnectionType ?? 'INTERNET') !== 'INTERNET')
    throw unsupported(`${where}.ConnectionType`, JSON.stringify(integration.ConnectionType));
  const timeoutMs = Number(integration.TimeoutInMillis ?? DEFAULT_INTEGRATION_TIMEOUT_MS);
  const mapped = { logicalId, integration, methodResponses: method.MethodResponses ?? [] };
  switch (integration.Type) {
    case 'AWS_PROXY': {
      const functionArn = functionArnOf(integration.Uri);
      if (functionArn === undefined) throw unsupported(`${where}.Uri`, 'a URI that is not a function');
      return createLambdaProxy({ ...api, functionArn, timeoutMs });
    }
    case 'MOCK':
      return createMockIntegration(mapped);
    case 'AWS': {
      const role = api.roles.get(integration.Credentials ?? null);
      if (role === undefined)
        throw unsupported(`${where}.Credentials`, 'anything but a role of the template');
      return createAwsIntegration({ ...mapped, role, timeoutMs, endpoints: api.endpoints });
    }
    default:
      throw unsupported(`${where}.Type`, JSON.stringify(integration.Type));
  }
}

function texts(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? (value as readonly Json[]).map(String) : [];
}
