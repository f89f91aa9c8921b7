/** One authorizer function, offered to each kind of API in the form that CDK's own constructs take. */
import { Duration, Token } from 'aws-cdk-lib';
import {
  type IAuthorizer,
  IdentitySource,
  type IRestApi,
  RequestAuthorizer,
  type RequestAuthorizerProps,
} from 'aws-cdk-lib/aws-apigateway';
import type {
  HttpRouteAuthorizerBindOptions,
  IHttpRouteAuthorizer,
  IWebSocketRouteAuthorizer,
  WebSocketRouteAuthorizerBindOptions,
} from 'aws-cdk-lib/aws-apigatewayv2';
import {
  HttpLambdaAuthorizer,
  HttpLambdaResponseType,
  WebSocketLambdaAuthorizer,
} from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { ALLOWED_APPIDS_VARIABLE, APPID } from '../../functions/contracts/appids.ts';
import { type StagedApi, setStageVariable } from './api-stages.ts';
import { onePerApi } from './one-per-api.ts';

/** Longest that an allow may be reused: a token that has ended, or was revoked, still opens routes that long. */
export const MAX_CACHE_TTL = Duration.minutes(5);

export interface ApiAuthorizersProps {
  /**
   * How long an API reuses the decision on a token, on all of its routes: at most 5 minutes, because the token may end
   * meanwhile. With 0 the authorizer is called for every request. A WebSocket API calls it once per connection,
   * whatever is set here.
   *
   * @default Duration.minutes(5)
   */
  readonly cacheTtl?: Duration;
  /**
   * AppIDs of the mini-programs whose members may pass, such as `['wx0123456789abcdef']`; others are denied (403).
   * For the central authorizer they are a variable of the API's stages, and count for all of the API's routes that our
   * authorizers protect.
   *
   * @default - all that the login service serves
   */
  readonly allowedAppids?: readonly string[];
}

/** Where a WebSocket client puts its token. */
export type WebSocketTokenSource = 'header' | 'query' | 'protocol';

const webSocketIdentitySources = {
  header: 'route.request.header.Authorization',
  query: 'route.request.querystring.token',
  protocol: 'route.request.header.Sec-WebSocket-Protocol',
} as const satisfies Record<WebSocketTokenSource, string>;

/**
 * Authorizers for several kinds of API around one function. Call as often as you like: all routes of one API share one
 * authorizer, and so its cache.
 */
export abstract class ApiAuthorizers extends Construct {
  /** The function that decides. */
  abstract readonly lambda: IFunction;
  /** How long an API reuses a decision. */
  readonly cacheTtl: Duration;
  /** The mini-programs whose members may pass; undefined for all. */
  readonly allowedAppids: readonly string[] | undefined;
  /** The same as the stages of an API tell the function. */
  private readonly stageVariable: string | undefined;
  private http: IHttpRouteAuthorizer | undefined;

  /** @param decidesFor whether the function is told by its environment what is set here, or by the API that calls it */
  protected constructor(
    scope: Construct,
    id: string,
    props: ApiAuthorizersProps,
    decidesFor: 'these APIs' | 'many teams',
  ) {
    super(scope, id);
    const { allowedAppids } = props;
    const isAppid = (text: string) => Token.isUnresolved(text) || APPID.test(text);
    if (allowedAppids !== undefined && !(allowedAppids.length > 0 && allowedAppids.every(isAppid)))
      throw new Error(
        `${this.node.path}: allowedAppids is ${JSON.stringify(allowedAppids)}; it must name AppIDs as the mini-program ` +
          "console shows them, such as 'wx0123456789abcdef', or be left out",
      );
    this.allowedAppids = allowedAppids;
    this.stageVariable = decidesFor === 'many teams' ? allowedAppids?.join(',') : undefined;
    this.cacheTtl = props.cacheTtl ?? MAX_CACHE_TTL;
    if (this.cacheTtl.toSeconds() > MAX_CACHE_TTL.toSeconds()) {
      throw new Error(
        `${this.node.path}: cacheTtl is ${this.cacheTtl.toSeconds()} seconds; at most ` +
          `${MAX_CACHE_TTL.toSeconds()} are allowed, because an ended token opens routes that much longer`,
      );
    }
  }

  /** For the routes of HTTP APIs: payload 2.0 with simple responses. */
  forHttpApi(): IHttpRouteAuthorizer {
    this.http ??= onePerApi(
      ({ route }: HttpRouteAuthorizerBindOptions) => this.told(route.httpApi),
      () =>
        new HttpLambdaAuthorizer(this.node.id, this.lambda, {
          responseTypes: [HttpLambdaResponseType.SIMPLE],
          identitySource: ['$request.header.Authorization', ...this.toldAs('$stageVariables.')],
          resultsCacheTtl: this.cacheTtl,
        }),
    );
    return this.http;
  }

  /**
   * For the methods of one REST API.
   *
   * @param id tells the authorizers of several REST APIs apart. Default: `Rest`
   * @throws Error when the authorizer of that id is attached to a second API
   */
  forRestApi(id = 'Rest'): IAuthorizer {
    const existing = this.node.tryFindChild(id);
    if (existing instanceof RestAuthorizer) return existing;
    return new RestAuthorizer(
      this,
      id,
      {
        handler: this.lambda,
        identitySources: [IdentitySource.header('Authorization'), ...this.toldAs('stageVariables.')],
        resultsCacheTtl: this.cacheTtl,
      },
      (api) => this.told(api),
    );
  }

  /**
   * For the `$connect` route of WebSocket APIs. Browsers cannot set headers there: they send the token as
   * `?token=…` (access logs may show it) or with `new WebSocket(url, ['bearer', token])`, to which the `$connect`
   * integration must respond with the header `Sec-WebSocket-Protocol: bearer`.
   *
   * @param source where API Gateway looks for the token; a request without it gets a 401. Default: the header
   *   `Authorization`
   */
  forWebSocketApi(source: WebSocketTokenSource = 'header'): IWebSocketRouteAuthorizer {
    return onePerApi(
      ({ route }: WebSocketRouteAuthorizerBindOptions) => this.told(route.webSocketApi),
      () =>
        new WebSocketLambdaAuthorizer(this.node.id, this.lambda, {
          identitySource: [webSocketIdentitySources[source], ...this.toldAs('stageVariables.')],
        }),
    );
  }

  /**
   * The list as an identity source: a decision is kept for one list, and API Gateway refuses the requests of a stage that
   * has none (401), so that no stage is left open by mistake.
   */
  private toldAs(prefix: string): string[] {
    return this.stageVariable === undefined ? [] : [`${prefix}${ALLOWED_APPIDS_VARIABLE}`];
  }

  /** Lets the stages of an API tell the function which mini-programs they let in. */
  private told<Api extends StagedApi>(api: Api): Api {
    if (this.stageVariable !== undefined) setStageVariable(api, ALLOWED_APPIDS_VARIABLE, this.stageVariable);
    return api;
  }
}

/** Says what to do where CDK says only that one authorizer cannot serve two APIs. */
class RestAuthorizer extends RequestAuthorizer {
  private api: IRestApi | undefined;
  private readonly onAttach: (api: IRestApi) => void;

  constructor(
    scope: Construct,
    id: string,
    props: RequestAuthorizerProps,
    onAttach: (api: IRestApi) => void,
  ) {
    super(scope, id, props);
    this.onAttach = onAttach;
  }

  override _attachToApi(api: IRestApi): void {
    this.api ??= api;
    if (this.api.restApiId !== api.restApiId) {
      throw new Error(
        `${this.node.path} is the authorizer of ${this.api.node.path}; for ${api.node.path} make another one: ` +
          `forRestApi('${api.node.id}')`,
      );
    }
    super._attachToApi(api);
    this.onAttach(api);
  }
}
