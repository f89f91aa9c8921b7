/** The orders service: the same little function behind every kind of API, open to members only. */
import { fileURLToPath } from 'node:url';
import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { LambdaIntegration, RestApi } from 'aws-cdk-lib/aws-apigateway';
import { HttpApi, HttpMethod, WebSocketApi, WebSocketStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration, WebSocketLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Runtime } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { Construct } from 'constructs';
import { WechatTokenAuthorizer, WechatTokenIssuer } from 'wechat-login';

/** Which login service's tokens open the routes. */
export interface OrdersStackProps extends StackProps {
  /** Stage of the login service in this account and region, such as `prod`. */
  readonly loginStage: string;
}

export class OrdersStack extends Stack {
  constructor(scope: Construct, id: string, props: OrdersStackProps) {
    super(scope, id, props);
    const orders = new NodejsFunction(this, 'Orders', {
      entry: fileURLToPath(new URL('../functions/orders.ts', import.meta.url)),
      runtime: Runtime.NODEJS_24_X,
    });

    // Whose tokens to trust, and our copy of the authorizer that checks them.
    const login = WechatTokenIssuer.fromStage(this, 'Login', { stage: props.loginStage });
    const auth = new WechatTokenAuthorizer(this, 'Auth', { issuer: login });

    // An HTTP API can be protected in all three ways.
    const http = new HttpApi(this, 'Http');
    const integration = new HttpLambdaIntegration('Orders', orders);

    // 1. API Gateway checks the token by itself.
    const native = login.nativeJwtAuthorizer();
    http.addRoutes({ path: '/orders', methods: [HttpMethod.GET], integration, authorizer: native });

    // 2. Our copy checks it, once in five minutes for all of the API's routes that use it.
    const copy = auth.forHttpApi();
    const changes = [HttpMethod.POST, HttpMethod.PUT];
    http.addRoutes({ path: '/orders', methods: changes, integration, authorizer: copy });

    // 3. The login service checks it, for every request: a logout counts at once.
    const central = login.centralAuthorizer({ cacheTtl: Duration.seconds(0) }).forHttpApi();
    http.addRoutes({ path: '/orders', methods: [HttpMethod.DELETE], integration, authorizer: central });

    // A REST API calls our copy as well, and so does a WebSocket API: once, when a client connects.
    const rest = new RestApi(this, 'Rest');
    rest.root
      .addResource('orders')
      .addMethod('GET', new LambdaIntegration(orders), { authorizer: auth.forRestApi() });

    const webSocketApi = new WebSocketApi(this, 'WebSocket', {
      connectRouteOptions: {
        integration: new WebSocketLambdaIntegration('Connect', orders),
        authorizer: auth.forWebSocketApi(),
      },
      defaultRouteOptions: {
        integration: new WebSocketLambdaIntegration('Message', orders),
        returnResponse: true,
      },
    });
    const stage = new WebSocketStage(this, 'Live', { webSocketApi, stageName: 'live', autoDeploy: true });

    new CfnOutput(this, 'HttpUrl', { value: `${http.apiEndpoint}/orders` });
    new CfnOutput(this, 'RestUrl', { value: rest.urlForPath('/orders') });
    new CfnOutput(this, 'WebSocketUrl', { value: stage.url });
  }
}
