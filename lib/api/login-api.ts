/** The REST API, built from the list of routes: which need a token, and which function or document responds. */
import { Duration, Stack, Validations } from 'aws-cdk-lib';
import {
  AuthorizationType,
  type CfnRestApi,
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
import { type ErrorCode, errorCatalogue } from '../../functions/contracts/errors.ts';
import { errorHeaders } from '../../functions/contracts/response-headers.ts';
import {
  type DocumentRoute,
  type FunctionRoute,
  LOGIN_PATH,
  type Route,
  routes,
  withHead,
} from '../../functions/contracts/routes.ts';
import { noTracing } from '../compute/service-function.ts';
import type { StageSettings } from '../settings.ts';
import { AccessLog } from './access-log.ts';
import { addGatewayResponses, envelopeTemplate } from './gateway-responses.ts';
import { declared, forAnyMediaType, inMethodResponse } from './method-responses.ts';
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
    // CDK's own output of the address, which the stack prints by itself.
    this.api.node.tryRemoveChild('Endpoint');
    this.api.deploymentStage.node.addDependency(accessLog);
    accessLog.waitFor(this.api.node.defaultChild as CfnRestApi);
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
    for (const path of pathsWithoutRoute()) refuseEveryMethod(this.api.root.resourceForPath(path));
  }
}

function serveDocument(resource: IResource, route: DocumentRoute, { documents }: RouteTargets): void {
  const { integration, methodResponses } = documents[route.document];
  for (const httpMethod of withHead(route.method)) {
    const method = resource.addMethod(httpMethod, integration, {
      authorizationType: AuthorizationType.NONE,
      methodResponses,
    });
    openToAll(method, 'A verifier reads it before it can check any token; it says nothing about anybody.');
  }
}

function callFunction(
  resource: IResource,
  route: FunctionRoute,
  { functions }: RouteTargets,
  authorizer: RequestAuthorizer,
): void {
  const integration = new LambdaIntegration(functions[route.function], { allowTestInvoke: false });
  for (const httpMethod of withHead(route.method)) {
    if (route.auth === 'token') {
      resource.addMethod(httpMethod, integration, {
        authorizer,
        authorizationType: AuthorizationType.CUSTOM,
      });
      continue;
    }
    const method = resource.addMethod(httpMethod, integration, { authorizationType: AuthorizationType.NONE });
    openToAll(
      method,
      route.auth === 'wechat'
        ? 'WeChat signs its messages, and the function checks the signature.'
        : 'Public: a login comes before any token, and /health is for probes.',
    );
  }
}

/** Says beside a method why it needs no token. */
function openToAll(method: Method, reason: string): void {
  Validations.of(method).acknowledge({ id: 'AwsSolutions-APIG4', reason });
}

/** Responds with 405 where the path exists and the method does not; without it API Gateway says 403. */
function refuseOtherMethods(resource: IResource, path: string): void {
  const allowed = routes.filter((route) => route.path === path).flatMap(({ method }) => withHead(method));
  respondByItself(resource, 'method_not_allowed', { Allow: allowed.join(', ') });
}

/**
 * Every path that has no route: those that routes lead through, and all others.
 *
 * Without a method API Gateway takes a request with an `Authorization` header for one that is signed for AWS, and
 * refuses it for its signature, which a client would take for the end of its login.
 */
function pathsWithoutRoute(): readonly string[] {
  const paths: readonly string[] = routes.map((route) => route.path);
  const parents = paths.flatMap((path) =>
    path.split('/').map((_, end, parts) => parts.slice(0, end).join('/')),
  );
  return [...new Set([...parents.filter((parent) => !paths.includes(parent)), '/{proxy+}'])];
}

function refuseEveryMethod(resource: IResource): void {
  respondByItself(resource, 'not_found');
}

/** Has API Gateway respond with an error to every method that the resource has no other response for. */
function respondByItself(
  resource: IResource,
  error: ErrorCode,
  more: Readonly<Record<string, string>> = {},
): void {
  const status = errorCatalogue[error].status;
  const headers = inMethodResponse({ ...errorHeaders(error), ...more });
  const method = resource.addMethod(
    'ANY',
    new MockIntegration({
      passthroughBehavior: PassthroughBehavior.NEVER,
      requestTemplates: forAnyMediaType(`{"statusCode": ${status}}`),
      integrationResponses: [
        {
          statusCode: String(status),
          responseParameters: headers,
          responseTemplates: { 'application/json': envelopeTemplate(error) },
        },
      ],
    }),
    {
      authorizationType: AuthorizationType.NONE,
      methodResponses: [{ statusCode: String(status), responseParameters: declared(headers) }],
    },
  );
  openToAll(method, `Responds to every request with ${status} by itself.`);
}
