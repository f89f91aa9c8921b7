/** Reads the REST API out of a template: its methods, what protects them, and what responds to them. */

import { LocalRunError, unsupported } from '../../errors.ts';
import { type Json, type JsonObject, list, objectOrEmpty } from '../../json.ts';
import type { ServiceEndpoints } from '../../lambda/functions.ts';
import { functionArnOf, type InvokeFunction } from '../../lambda/invoke.ts';
import { apiArnOf } from '../../template/account.ts';
import type { ResolvedResource, Resolver } from '../../template/intrinsics.ts';
import type { KnownProperties } from '../../template/properties.ts';
import { refuseUnknown } from '../../template/properties.ts';
import { type Authorizer, compileRestAuthorizer } from '../authorizers/policy-authorizer.ts';
import type { Integration } from '../call.ts';
import { createLambdaProxy } from '../lambda-proxy.ts';
import { createAwsIntegration } from './aws-integration.ts';
import { compileGatewayResponses, type RefusalRenderer } from './gateway-responses.ts';
import { createMockIntegration } from './mapped-integration.ts';
import type { ApiMethod } from './method.ts';

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

const apiProperties = {
  emulated: 'BinaryMediaTypes',
  ignored: 'ApiKeySourceType Description DisableExecuteApiEndpoint EndpointConfiguration Name Tags',
};
const stageProperties = {
  emulated: 'RestApiId StageName Variables',
  ignored: 'AccessLogSetting DeploymentId Description MethodSettings Tags TracingEnabled',
};
const resourceProperties = { emulated: 'ParentId PathPart RestApiId' };
const methodProperties = {
  emulated:
    'ApiKeyRequired AuthorizationType AuthorizerId HttpMethod Integration MethodResponses ResourceId RestApiId',
  ignored: 'OperationName',
};
const integrationProperties = {
  emulated:
    'ConnectionType Credentials IntegrationResponses PassthroughBehavior RequestTemplates TimeoutInMillis Type Uri',
  // Functions and DynamoDB are always called with POST.
  ignored: 'IntegrationHttpMethod',
};

/** API Gateway's limit for an integration unless the method sets a shorter one, milliseconds. */
const DEFAULT_INTEGRATION_TIMEOUT_MS = 29_000;

/**
 * Reads the template's REST API.
 *
 * @param endpoints the AWS services that integrations call
 * @throws LocalRunError when there is not exactly one, or it uses what is not known
 */
export function compileRestApi(
  resolver: Resolver,
  invoke: InvokeFunction,
  endpoints: ServiceEndpoints,
): RestApi {
  const read = (type: string, known: KnownProperties): readonly ResolvedResource[] => {
    const resources = resolver.resourcesOf(`AWS::ApiGateway::${type}`);
    for (const { logicalId, properties } of resources) refuseUnknown(logicalId, properties, known);
    return resources;
  };
  const api = only(read('RestApi', apiProperties), 'AWS::ApiGateway::RestApi');
  const stage = only(read('Stage', stageProperties), 'AWS::ApiGateway::Stage');
  const { ref, attributes } = resolver.names(api.logicalId);
  const id = String(ref);
  const stageName = String(stage.properties.StageName);
  const apiArn = apiArnOf(id);
  const stageArn = `${apiArn}/${stageName}`;

  const authorizers = new Map<Json, Authorizer>(
    resolver.resourcesOf('AWS::ApiGateway::Authorizer').map((authorizer) => {
      const { ref: authorizerId } = resolver.names(authorizer.logicalId);
      return [
        authorizerId,
        compileRestAuthorizer(authorizer, invoke, `${apiArn}/authorizers/${authorizerId}`),
      ];
    }),
  );
  const resources = read('Resource', resourceProperties);
  const paths = resourcePaths(resolver, resources, attributes.RootResourceId ?? null);
  const binaryMediaTypes = list(api.properties.BinaryMediaTypes).map(String);
  const roles = new Map(
    resolver
      .resourcesOf('AWS::IAM::Role')
      .map((role) => [resolver.names(role.logicalId).attributes.Arn ?? null, role.logicalId]),
  );

  const methods = read('Method', methodProperties).map(({ logicalId, properties: method }): ApiMethod => {
    if (method.ApiKeyRequired === true) throw unsupported(`${logicalId}.ApiKeyRequired`, 'an API key');
    const resourcePath = paths.get(method.ResourceId ?? null);
    if (resourcePath === undefined)
      throw new LocalRunError(`${logicalId}.ResourceId: there is no such resource.`);
    return {
      httpMethod: String(method.HttpMethod),
      resourceId: String(method.ResourceId),
      resourcePath,
      authorizer: authorizerOf(logicalId, method, authorizers),
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
    stageVariables: objectOrEmpty(stage.properties.Variables) as Record<string, string>,
    methods,
    refuse: compileGatewayResponses(resolver, id),
    stageArn,
  };
}

function only(resources: readonly ResolvedResource[], type: string): ResolvedResource {
  const [first, ...more] = resources;
  if (first === undefined || more.length > 0)
    throw new LocalRunError(
      `A template may have exactly one ${type}; this one has ${resources.map(({ logicalId }) => logicalId).join(', ') || 'none'}.`,
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
  const integration = objectOrEmpty(method.Integration);
  const where = `${logicalId}.Integration`;
  refuseUnknown(where, integration, integrationProperties);
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
