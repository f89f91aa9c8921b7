/** The REST API, built from the list of routes: which need a token, and which function or document responds. */
import { Duration, Stack, Validations } from 'aws-cdk-lib';
import {
  AuthorizationType,
  EndpointType,
  IdentitySource,
  type IResource,
  LambdaIntegration,
  type Method,
  MockIntegration,
  PassthroughBehavior,
  RequestAuthorizer,
  RestApi,
} from 'aws-cdk-lib/aws-apigateway';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import {
  type DocumentRoute,
  type FunctionRoute,
  LOGIN_PATH,
  type Route,
  routes,
} from '../../functions/contracts/routes.ts';
import { noTracing } from '../compute/service-function.ts';
import type { StageSettings } from '../settings.ts';
import { AccessLog } from './access-log.ts';
import { addGatewayResponses, envelopeTemplate } from './gateway-responses.ts';
import type { ServedDocument } from './well-known-documents.ts';

/** API Gateway's own name for the deployed version; part of the default address, not of a custom domain's. */
export const API_STAGE = 'v1';

export interface LoginApiProps {
  /** What the stage calls itself: the API's name in the console and in its metrics. */
  readonly service: string;
  readonly settings: Pick<
    StageSettings,
    'throttle' | 'loginThrottle' | 'tracing' | 'logRetentionDays' | 'protectData' | 'apiGatewayLogRole'
  >;
}

/** What responds on the routes. */
export interface RouteTargets {
  /** The functions that routes name. */
  readonly functions: Readonly<Record<FunctionRoute['function'], IFunction>>;
  /** The documents that routes name. */
  readonly documents: Readonly<Record<DocumentRoute['document'], ServedDocument>>;
  /** Decides on routes that need a token. */
  readonly authorizer: IFunction;
}

/** The route that calls WeChat, as API Gateway's settings name it. */
const LOGIN_ROUTE = `${LOGIN_PATH}/POST`;

/** The service's HTTP face. */
export class LoginApi extends Construct {
  readonly api: RestApi;

  constructor(scope: Construct, id: string, { service, settings }: LoginApiProps) {
    super(scope, id);
    const accessLog = new AccessLog(this, 'AccessLog', { service, settings });
    this.api = new RestApi(this, 'Rest', {
      restApiName: service,
      description: 'WeChat mini-program login',
      endpointTypes: [EndpointType.REGIONAL],
      deployOptions: {
        stageName: API_STAGE,
        accessLogDestination: accessLog.destination,
        accessLogFormat: accessLog.format,
        tracingEnabled: settings.tracing,
        throttlingRateLimit: settings.throttle.requestsPerSecond,
        throttlingBurstLimit: settings.throttle.burst,
        methodOptions: {
          [LOGIN_ROUTE]: {
            throttlingRateLimit: settings.loginThrottle.requestsPerSecond,
            throttlingBurstLimit: settings.loginThrottle.burst,
          },
        },
      },
      cloudWatchRole: false,
    });
    if (!settings.tracing)
      Validations.of(this.api.deploymentStage).acknowledge({
        id: 'Serverless-APIGWXrayEnabled',
        reason: noTracing,
      });
    // A stage cannot have an access log before API Gateway has its role for it.
    this.api.deploymentStage.node.addDependency(accessLog);
    addGatewayResponses(this.api);
    Validations.of(this.api).acknowledge(
      {
        id: 'AwsSolutions-COG4',
        reason: 'This service is the issuer: its own authorizer checks the tokens that its own login mints.',
      },
      {
        id: 'AwsSolutions-APIG2',
        reason:
          'The functions validate: a model of the gateway reads no forms, and cannot name the wrong member in the envelope.',
      },
    );
    Validations.of(this.api.deploymentStage).acknowledge({
      id: 'AwsSolutions-APIG6',
      reason:
        'Execution logs hold requests and responses, and with them codes and tokens; every function logs one line a request.',
    });
  }

  /**
   * The API's own address, without a slash at the end.
   * It names no deployment, so that functions behind the API can be told it.
   */
  get url(): string {
    const { region, urlSuffix } = Stack.of(this);
    return `https://${this.api.restApiId}.execute-api.${region}.${urlSuffix}/${API_STAGE}`;
  }

  /** Adds every route of the service. Our own routes call the authorizer each time, so a logout acts at once. */
  addRoutes(targets: RouteTargets): void {
    const authorizer = new RequestAuthorizer(this, 'Authorizer', {
      handler: targets.authorizer,
      identitySources: [IdentitySource.header('Authorization')],
      resultsCacheTtl: Duration.seconds(0),
    });
    for (const route of routes as readonly Route[]) {
      const resource = this.api.root.resourceForPath(route.path);
      if ('document' in route) serveDocument(resource, route, targets);
      else callFunction(resource, route, targets, authorizer);
    }
    for (const path of new Set(routes.map((route) => route.path)))
      refuseOtherMethods(this.api.root.resourceForPath(path), path);
  }
}

function serveDocument(resource: IResource, route: DocumentRoute, { documents }: RouteTargets): void {
  const { integration, methodResponses } = documents[route.document];
  const method = resource.addMethod(route.method, integration, {
    authorizationType: AuthorizationType.NONE,
    methodResponses,
  });
  openToAll(method, 'A verifier reads it before it can check any token; it says nothing about anybody.');
}

function callFunction(
  resource: IResource,
  { method: httpMethod, ...route }: FunctionRoute,
  { functions }: RouteTargets,
  authorizer: RequestAuthorizer,
): void {
  const integration = new LambdaIntegration(functions[route.function], { allowTestInvoke: false });
  if (route.auth === 'token') {
    resource.addMethod(httpMethod, integration, { authorizer, authorizationType: AuthorizationType.CUSTOM });
    return;
  }
  const method = resource.addMethod(httpMethod, integration, { authorizationType: AuthorizationType.NONE });
  openToAll(method, 'Public: a login comes before any token, and /health is for probes.');
}

/** Says beside a method why it needs no token. */
function openToAll(method: Method, reason: string): void {
  Validations.of(method).acknowledge({ id: 'AwsSolutions-APIG4', reason });
}

/** Media types a client may name: a mock integration takes each only with a template of its own. */
const anyMediaType = [
  'application/json',
  'application/x-www-form-urlencoded',
  'application/octet-stream',
  'application/xml',
  'multipart/form-data',
  'text/html',
  'text/plain',
  'text/xml',
];

/** Answers 405 where the path exists and the method does not; without it API Gateway says 403. */
function refuseOtherMethods(resource: IResource, path: string): void {
  const allowed = routes.filter((route) => route.path === path).map((route) => route.method);
  const method = resource.addMethod(
    'ANY',
    new MockIntegration({
      passthroughBehavior: PassthroughBehavior.NEVER,
      requestTemplates: Object.fromEntries(anyMediaType.map((type) => [type, '{"statusCode": 405}'])),
      integrationResponses: [
        {
          statusCode: '405',
          responseParameters: {
            'method.response.header.Allow': `'${allowed.join(', ')}'`,
            'method.response.header.Cache-Control': "'no-store'",
          },
          responseTemplates: { 'application/json': envelopeTemplate('method_not_allowed') },
        },
      ],
    }),
    {
      authorizationType: AuthorizationType.NONE,
      methodResponses: [
        {
          statusCode: '405',
          responseParameters: {
            'method.response.header.Allow': true,
            'method.response.header.Cache-Control': true,
          },
        },
      ],
    },
  );
  openToAll(method, 'Answers every request with 405 by itself.');
}
