/**
 * What the types must refuse. Nothing here runs: the compiler fails on every line below that it accepts
 * (`@ts-expect-error` without an error is one).
 */
import { LambdaIntegration, type RestApi } from 'aws-cdk-lib/aws-apigateway';
import type { HttpApi, WebSocketApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type {
  HttpUrlIntegration,
  WebSocketLambdaIntegration,
} from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { memberOf } from '../../../functions/caller/member-of.ts';
import { WechatTokenAuthorizer, WechatTokenIssuer } from '../../../lib/index.ts';

interface Given {
  readonly scope: Construct;
  readonly orders: IFunction;
  readonly http: HttpApi;
  readonly rest: RestApi;
  readonly webSocket: WebSocketApi;
  readonly httpIntegration: HttpUrlIntegration;
  readonly connectIntegration: WebSocketLambdaIntegration;
}

/** Compiles only as long as each marked line does not. */
export function refused(given: Given): void {
  const { scope, orders, http, rest, webSocket, httpIntegration, connectIntegration } = given;

  // @ts-expect-error An issuer without audience would accept tokens that were meant for others.
  const issuer = WechatTokenIssuer.fromAttributes(scope, 'Login', { issuer: 'https://login.example.com' });

  // @ts-expect-error An audience without issuer names nobody to trust.
  WechatTokenIssuer.fromAttributes(scope, 'Nobody', { audience: 'wechat-login' });

  // @ts-expect-error A stage is named, not guessed.
  WechatTokenIssuer.fromStage(scope, 'Stage', {});

  // @ts-expect-error Issuers come from a stage or from attributes.
  new WechatTokenIssuer(scope, 'Made', { issuer: 'https://login.example.com', audience: 'wechat-login' });

  // @ts-expect-error An authorizer without issuer would trust nobody.
  new WechatTokenAuthorizer(scope, 'NoIssuer', {});

  // @ts-expect-error An issuer is not its URL.
  new WechatTokenAuthorizer(scope, 'Url', { issuer: 'https://login.example.com' });

  const auth = new WechatTokenAuthorizer(scope, 'Auth', { issuer });

  // @ts-expect-error The authorizer of an HTTP API is none of a REST API's.
  rest.root.addMethod('GET', new LambdaIntegration(orders), { authorizer: auth.forHttpApi() });

  // @ts-expect-error The authorizer of a REST API is none of an HTTP API's.
  http.addRoutes({ path: '/', integration: httpIntegration, authorizer: auth.forRestApi() });

  // @ts-expect-error An AppSync mode is no authorizer.
  http.addRoutes({ path: '/', integration: httpIntegration, authorizer: auth.forAppSync() });

  // @ts-expect-error HTTP APIs verify by themselves, REST APIs do not.
  rest.root.addMethod('GET', new LambdaIntegration(orders), { authorizer: issuer.nativeJwtAuthorizer() });

  const connect = { integration: connectIntegration, authorizer: auth.forRestApi() };
  // @ts-expect-error The authorizer of a REST API is none of a WebSocket API's.
  webSocket.addRoute('$connect', connect);

  // @ts-expect-error The authorizer of a WebSocket API is none of an HTTP API's.
  http.addRoutes({ path: '/', integration: httpIntegration, authorizer: auth.forWebSocketApi() });

  const connectOverHttp = { integration: connectIntegration, authorizer: auth.forHttpApi() };
  // @ts-expect-error The authorizer of an HTTP API is none of a WebSocket API's.
  webSocket.addRoute('$connect', connectOverHttp);

  // @ts-expect-error A token is looked for in one of three places.
  auth.forWebSocketApi('cookie');

  // @ts-expect-error Across accounts only API Gateway is let in.
  issuer.centralAuthorizer().forAppSync();

  // @ts-expect-error A member has no openid.
  memberOf({}).openid;
}
