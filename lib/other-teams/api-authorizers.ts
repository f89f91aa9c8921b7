/** One authorizer function, offered to each kind of API in the form that CDK's own constructs take. */
import { Duration } from 'aws-cdk-lib';
import {
  type IAuthorizer,
  IdentitySource,
  type IRestApi,
  RequestAuthorizer,
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
  private http: IHttpRouteAuthorizer | undefined;

  protected constructor(scope: Construct, id: string, props: ApiAuthorizersProps) {
    super(scope, id);
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
      ({ route }: HttpRouteAuthorizerBindOptions) => route.httpApi,
      () =>
        new HttpLambdaAuthorizer(this.node.id, this.lambda, {
          responseTypes: [HttpLambdaResponseType.SIMPLE],
          identitySource: ['$request.header.Authorization'],
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
    return new RestAuthorizer(this, id, {
      handler: this.lambda,
      identitySources: [IdentitySource.header('Authorization')],
      resultsCacheTtl: this.cacheTtl,
    });
  }

  /**
   * For the `$connect` route of WebSocket APIs. Browsers cannot set headers there: they send the token as
   * `?token=…` (access logs may show it) or with `new WebSocket(url, ['bearer', token])`, which the `$connect`
   * integration must answer with the header `Sec-WebSocket-Protocol: bearer`.
   *
   * @param source where API Gateway looks for the token; a request without it gets a 401. Default: the header
   *   `Authorization`
   */
  forWebSocketApi(source: WebSocketTokenSource = 'header'): IWebSocketRouteAuthorizer {
    return onePerApi(
      ({ route }: WebSocketRouteAuthorizerBindOptions) => route.webSocketApi,
      () =>
        new WebSocketLambdaAuthorizer(this.node.id, this.lambda, {
          identitySource: [webSocketIdentitySources[source]],
        }),
    );
  }
}

/** Says what to do where CDK says only that one authorizer cannot serve two APIs. */
class RestAuthorizer extends RequestAuthorizer {
  private api: IRestApi | undefined;

  override _attachToApi(api: IRestApi): void {
    this.api ??= api;
    if (this.api.restApiId !== api.restApiId) {
      throw new Error(
        `${this.node.path} is the authorizer of ${this.api.node.path}; for ${api.node.path} make another one: ` +
          `forRestApi('${api.node.id}')`,
      );
    }
    super._attachToApi(api);
  }
}
