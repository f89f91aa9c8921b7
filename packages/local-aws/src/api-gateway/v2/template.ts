/** Reads the APIs of API Gateway's second version, HTTP and WebSocket, out of a template. */

import { LocalRunError, unsupported } from '../../errors.ts';
import { type Json, type JsonObject, objectOrEmpty } from '../../json.ts';
import { functionArnOf } from '../../lambda/invoke.ts';
import { apiArnOf } from '../../template/account.ts';
import type { ResolvedResource, Resolver } from '../../template/intrinsics.ts';
import { refuseUnknown } from '../../template/properties.ts';

/** An API as its resources describe it. */
export interface ApiV2 {
  readonly logicalId: string;
  readonly id: string;
  readonly protocol: 'HTTP' | 'WEBSOCKET';
  readonly arn: string;
  readonly stage: string;
  readonly stageArn: string;
  readonly stageVariables: Readonly<Record<string, string>>;
  readonly routes: readonly RouteV2[];
}

/** A route and what it leads to. */
export interface RouteV2 {
  readonly logicalId: string;
  /** `GET /orders/{id}`, `ANY /orders`, `$default` or `$connect`. */
  readonly routeKey: string;
  /** Undefined without authorization. */
  readonly authorizer: AuthorizerV2 | undefined;
  readonly integration: IntegrationV2;
  /** Whether what the function returns goes back over the WebSocket. */
  readonly responds: boolean;
}

/** An authorizer, its properties not yet read. */
export interface AuthorizerV2 {
  readonly resource: ResolvedResource;
  readonly arn: string;
}

/** A proxy integration with a function. */
export interface IntegrationV2 {
  readonly functionArn: string;
  readonly payloadFormatVersion: '1.0' | '2.0';
  readonly timeoutMs: number;
}

const known = {
  // Every message goes to $default, whatever a WebSocket API selects routes by.
  Api: { emulated: 'ProtocolType', ignored: 'Description Name RouteSelectionExpression Tags' },
  Stage: {
    emulated: 'ApiId StageName StageVariables',
    ignored: 'AccessLogSettings AutoDeploy DefaultRouteSettings DeploymentId Description RouteSettings Tags',
  },
  Route: {
    emulated: 'ApiId AuthorizationType AuthorizerId RouteKey RouteResponseSelectionExpression Target',
    ignored: 'OperationName',
  },
  RouteResponse: { emulated: 'ApiId RouteId RouteResponseKey' },
  Integration: {
    emulated: 'ApiId ConnectionType IntegrationType IntegrationUri PayloadFormatVersion TimeoutInMillis',
    ignored: 'Description IntegrationMethod',
  },
} as const;

/** How long a function may take unless the integration says otherwise, milliseconds. */
const DEFAULT_TIMEOUT_MS = { HTTP: 30_000, WEBSOCKET: 29_000 };

/**
 * The template's HTTP and WebSocket APIs.
 *
 * @throws LocalRunError naming what is unknown or could not be deployed
 */
export function readApisV2(resolver: Resolver): readonly ApiV2[] {
  const read = (type: keyof typeof known): readonly ResolvedResource[] => {
    const resources = resolver.resourcesOf(`AWS::ApiGatewayV2::${type}`);
    for (const { logicalId, properties } of resources) refuseUnknown(logicalId, properties, known[type]);
    return resources;
  };
  const all = {
    stages: read('Stage'),
    routes: read('Route'),
    routeResponses: read('RouteResponse'),
    integrations: read('Integration'),
    authorizers: resolver.resourcesOf('AWS::ApiGatewayV2::Authorizer'),
  };

  return read('Api').map(({ logicalId, properties }) => {
    const id = String(resolver.names(logicalId).ref);
    const ofApi = (resources: readonly ResolvedResource[]): ReadonlyMap<Json, ResolvedResource> =>
      new Map(
        resources
          .filter((resource) => resource.properties.ApiId === id)
          .map((resource) => [resolver.names(resource.logicalId).ref, resource]),
      );
    const protocol = properties.ProtocolType;
    if (protocol !== 'HTTP' && protocol !== 'WEBSOCKET')
      throw unsupported(`${logicalId}.ProtocolType`, JSON.stringify(protocol) ?? 'none');
    const [stage, ...stages] = ofApi(all.stages).values();
    if (stage === undefined || stages.length > 0)
      throw new LocalRunError(`${logicalId}: an API must have exactly one stage.`);
    const stageName = String(stage.properties.StageName);
    if (protocol === 'HTTP' && stageName !== '$default')
      throw unsupported(`${stage.logicalId}.StageName`, `a stage of an HTTP API other than $default`);
    const integrations = ofApi(all.integrations);
    const authorizers = ofApi(all.authorizers);
    const responding = new Set(
      [...ofApi(all.routeResponses).values()].map((response) => response.properties.RouteId),
    );
    const arn = apiArnOf(id);
    return {
      logicalId,
      id,
      protocol,
      arn,
      stage: stageName,
      stageArn: `${arn}/${stageName}`,
      stageVariables: objectOrEmpty(stage.properties.StageVariables) as Record<string, string>,
      routes: [...ofApi(all.routes)].map(([routeId, route]) => ({
        logicalId: route.logicalId,
        routeKey: String(route.properties.RouteKey),
        authorizer: authorizerOf(route, authorizers, arn),
        integration: integrationOf(route, integrations, protocol),
        responds: responding.has(routeId) && route.properties.RouteResponseSelectionExpression === '$default',
      })),
    };
  });
}

function authorizerOf(
  { logicalId, properties }: ResolvedResource,
  authorizers: ReadonlyMap<Json, ResolvedResource>,
  apiArn: string,
): AuthorizerV2 | undefined {
  const authorizationType = properties.AuthorizationType ?? 'NONE';
  if (authorizationType === 'NONE') return undefined;
  if (authorizationType !== 'CUSTOM' && authorizationType !== 'JWT')
    throw unsupported(`${logicalId}.AuthorizationType`, JSON.stringify(authorizationType));
  const id = properties.AuthorizerId ?? null;
  const resource = authorizers.get(id);
  if (resource === undefined)
    throw new LocalRunError(`${logicalId}.AuthorizerId: this API has no such authorizer.`);
  const expected = authorizationType === 'JWT' ? 'JWT' : 'REQUEST';
  if (resource.properties.AuthorizerType !== expected)
    throw new LocalRunError(
      `${logicalId}.AuthorizationType: ${authorizationType} needs an authorizer of type ${expected}.`,
    );
  return { resource, arn: `${apiArn}/authorizers/${id}` };
}

function integrationOf(
  { logicalId, properties: route }: ResolvedResource,
  integrations: ReadonlyMap<Json, ResolvedResource>,
  protocol: ApiV2['protocol'],
): IntegrationV2 {
  const id = /^integrations\/(.+)$/.exec(String(route.Target))?.[1];
  const integration = integrations.get(id ?? null);
  if (integration === undefined)
    throw new LocalRunError(`${logicalId}.Target: this API has no such integration.`);
  const { properties, logicalId: where } = integration;
  if (properties.IntegrationType !== 'AWS_PROXY')
    throw unsupported(`${where}.IntegrationType`, JSON.stringify(properties.IntegrationType));
  if ((properties.ConnectionType ?? 'INTERNET') !== 'INTERNET')
    throw unsupported(`${where}.ConnectionType`, JSON.stringify(properties.ConnectionType));
  const functionArn = functionArnOf(properties.IntegrationUri) ?? plainFunctionArn(properties, protocol);
  if (functionArn === undefined) throw unsupported(`${where}.IntegrationUri`, 'a URI that is not a function');
  const version = properties.PayloadFormatVersion ?? (protocol === 'WEBSOCKET' ? '1.0' : undefined);
  if (version !== '1.0' && (version !== '2.0' || protocol === 'WEBSOCKET'))
    throw unsupported(`${where}.PayloadFormatVersion`, JSON.stringify(version) ?? 'none');
  return {
    functionArn,
    payloadFormatVersion: version,
    timeoutMs: Number(properties.TimeoutInMillis ?? DEFAULT_TIMEOUT_MS[protocol]),
  };
}

/** HTTP APIs, and only they, also take the function's own ARN. */
function plainFunctionArn({ IntegrationUri }: JsonObject, protocol: ApiV2['protocol']): string | undefined {
  return protocol === 'HTTP' ? /^arn:[^:]+:lambda:[^/]+$/.exec(String(IntegrationUri))?.[0] : undefined;
}
