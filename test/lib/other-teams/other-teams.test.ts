import { App, Duration, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { LambdaIntegration, RestApi } from 'aws-cdk-lib/aws-apigateway';
import {
  HttpApi,
  HttpMethod,
  type IHttpRouteAuthorizer,
  WebSocketApi,
  WebSocketStage,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpUrlIntegration, WebSocketLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Definition, GraphqlApi } from 'aws-cdk-lib/aws-appsync';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { describe, expect, it } from 'vitest';
import { type ApiAuthorizers, WechatTokenAuthorizer, WechatTokenIssuer } from '../../../lib/index.ts';

const attributes = { issuer: 'https://login.example.com', audience: 'wechat-login' };
const THIS_ACCOUNT = '111111111111';
const LOGIN_ACCOUNT = '222222222222';
const authorizerArnIn = (account: string, region = 'eu-west-1') =>
  `arn:aws:lambda:${region}:${account}:function:login-authorizer:live`;

const stackIn = (account?: string, region?: string, context: Record<string, unknown> = {}): Stack =>
  new Stack(new App({ context: { '@aws-cdk/core:enablePartitionLiterals': true, ...context } }), 'Orders', {
    ...(account !== undefined && region !== undefined && { env: { account, region } }),
  });

const ordersFunction = (stack: Stack): LambdaFunction =>
  new LambdaFunction(stack, 'Orders', {
    code: Code.fromInline('exports.handler = async () => ({ statusCode: 200 })'),
    handler: 'index.handler',
    runtime: Runtime.NODEJS_24_X,
  });

function addApis(stack: Stack, authorizers: ApiAuthorizers): void {
  const orders = ordersFunction(stack);
  const http = new HttpApi(stack, 'Http', { defaultAuthorizer: authorizers.forHttpApi() });
  for (const path of ['/a', '/b'])
    http.addRoutes({
      path,
      methods: [HttpMethod.GET],
      integration: new HttpUrlIntegration('Orders', 'https://orders.example.com'),
    });
  const rest = new RestApi(stack, 'RestApi');
  const authorizer = authorizers.forRestApi();
  rest.root.addMethod('GET', new LambdaIntegration(orders), { authorizer });
  rest.root.addMethod('POST', new LambdaIntegration(orders), { authorizer });
  new WebSocketApi(stack, 'WebSocket', {
    connectRouteOptions: {
      integration: new WebSocketLambdaIntegration('Connect', orders),
      authorizer: authorizers.forWebSocketApi('query'),
    },
  });
}

const schema = Definition.fromSchema({
  bind: () => ({ apiId: 'x', definition: 'type Query { orders: [String] }' }),
});

interface Permission {
  readonly Principal: string;
  readonly FunctionName: unknown;
  readonly SourceArn?: unknown;
  readonly SourceAccount?: unknown;
}

/** Permissions of the authorizer as a map from the end of their source to the whole. */
const authorizerPermissions = (template: Template, functionName: RegExp): Permission[] =>
  Object.values(template.findResources('AWS::Lambda::Permission'))
    .map(({ Properties }) => Properties as Permission)
    .filter(({ FunctionName }) => functionName.test(JSON.stringify(FunctionName)));

describe('a stateless copy in the consumer account', () => {
  const environments = [
    ['the account and region known', THIS_ACCOUNT, 'eu-west-1', 'aws'],
    ['China', THIS_ACCOUNT, 'cn-north-1', 'aws-cn'],
    ['the environment not known', undefined, undefined, undefined],
  ] as const;

  it.each(environments)(
    'is called by exactly the APIs that use it, with %s',
    (_, account, region, partition) => {
      const stack = stackIn(account, region);
      const issuer = WechatTokenIssuer.fromAttributes(stack, 'Login', attributes);
      addApis(stack, new WechatTokenAuthorizer(stack, 'Auth', { issuer }));
      const template = Template.fromStack(stack);

      const permissions = authorizerPermissions(template, /AuthFunction/);
      expect(permissions).toHaveLength(3);
      const authorizerIds = [
        ...Object.keys(template.findResources('AWS::ApiGatewayV2::Authorizer')),
        ...Object.keys(template.findResources('AWS::ApiGateway::Authorizer')),
      ];
      expect(authorizerIds).toHaveLength(3);
      for (const id of authorizerIds) {
        const [permission, ...others] = permissions.filter(({ SourceArn }) =>
          JSON.stringify(SourceArn).includes(`/authorizers/",{"Ref":"${id}"}`),
        );
        expect(others).toEqual([]);
        expect(permission?.Principal).toBe('apigateway.amazonaws.com');
        if (partition !== undefined)
          expect(JSON.stringify(permission)).toContain(`arn:${partition}:execute-api:${region}:${account}:`);
      }
      if (partition === 'aws-cn') expect(JSON.stringify(template.toJSON())).not.toContain('arn:aws:');
    },
  );

  it('asks as documented: payload 2.0 with simple responses, identity sources, five minutes', () => {
    const stack = stackIn();
    const issuer = WechatTokenIssuer.fromAttributes(stack, 'Login', attributes);
    addApis(stack, new WechatTokenAuthorizer(stack, 'Auth', { issuer }));
    const template = Template.fromStack(stack);

    template.hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
      AuthorizerType: 'REQUEST',
      AuthorizerPayloadFormatVersion: '2.0',
      EnableSimpleResponses: true,
      IdentitySource: ['$request.header.Authorization'],
      AuthorizerResultTtlInSeconds: 300,
    });
    template.hasResourceProperties('AWS::ApiGateway::Authorizer', {
      Type: 'REQUEST',
      IdentitySource: 'method.request.header.Authorization',
      AuthorizerResultTtlInSeconds: 300,
    });
    template.hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
      AuthorizerType: 'REQUEST',
      IdentitySource: ['route.request.querystring.token'],
      AuthorizerResultTtlInSeconds: Match.absent(),
    });
    template.resourceCountIs('AWS::ApiGatewayV2::Authorizer', 2);
  });

  it('is told which mini-programs it lets in, and refuses a list that would let nobody or everybody in', () => {
    const stack = stackIn();
    const issuer = WechatTokenIssuer.fromAttributes(stack, 'Login', attributes);
    const allowedAppids = ['wx0123456789abcdef', 'wxfedcba9876543210'];
    new WechatTokenAuthorizer(stack, 'Auth', { issuer, allowedAppids });

    Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: Match.objectLike({ ALLOWED_APPIDS: 'wx0123456789abcdef,wxfedcba9876543210' }),
      },
    });
    for (const wrong of [[], [''], ['*'], ['wx1,wx2']])
      expect(
        () =>
          new WechatTokenAuthorizer(stack, `Wrong${JSON.stringify(wrong)}`, { issuer, allowedAppids: wrong }),
      ).toThrow('allowedAppids is');
  });

  it('runs the bundle of the package, told whom to trust, with a role that may only log', () => {
    const stack = stackIn();
    const issuer = WechatTokenIssuer.fromAttributes(stack, 'Login', attributes);
    new WechatTokenAuthorizer(stack, 'Auth', { issuer, cacheTtl: Duration.seconds(60) });
    const template = Template.fromStack(stack);

    template.hasResourceProperties('AWS::Lambda::Function', {
      Runtime: `nodejs${process.versions.node.split('.')[0]}.x`,
      Handler: 'index.handler',
      Environment: {
        Variables: {
          POWERTOOLS_SERVICE_NAME: 'wechat-login-authorizer',
          TOKEN_ISSUER: 'https://login.example.com',
          TOKEN_AUDIENCE: 'wechat-login',
          JWKS_URL: 'https://login.example.com/.well-known/jwks.json',
          HTTP_RESPONSE: 'simple',
          ALLOWED_APPIDS: '*',
          CACHE_TTL_SECONDS: '60',
        },
      },
    });
    template.resourceCountIs('AWS::IAM::Policy', 1);
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: [{ Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Effect: 'Allow' }],
      },
    });
    template.hasResourceProperties('AWS::IAM::Role', { ManagedPolicyArns: Match.absent() });
  });

  it.each([true, false])(
    'is called by AppSync APIs of this account only, with the feature flag %s',
    (flag) => {
      const stack = stackIn(THIS_ACCOUNT, 'eu-west-1', {
        '@aws-cdk/aws-appsync:appSyncGraphQLAPIScopeLambdaPermission': flag,
      });
      const issuer = WechatTokenIssuer.fromAttributes(stack, 'Login', attributes);
      const auth = new WechatTokenAuthorizer(stack, 'Auth', { issuer, cacheTtl: Duration.minutes(1) });
      for (const id of ['One', 'Two'])
        new GraphqlApi(stack, id, {
          name: id,
          definition: schema,
          authorizationConfig: { defaultAuthorization: auth.forAppSync() },
        });
      const template = Template.fromStack(stack);

      const permissions = authorizerPermissions(template, /AuthFunction/);
      expect(permissions).toHaveLength(flag ? 2 : 1);
      for (const { Principal, SourceArn } of permissions) {
        expect(Principal).toBe('appsync.amazonaws.com');
        if (flag) expect(JSON.stringify(SourceArn)).toMatch(/"(One|Two)[0-9A-F]+","Arn"/);
        else expect(SourceArn).toBe(`arn:aws:appsync:eu-west-1:${THIS_ACCOUNT}:apis/*`);
      }
      template.hasResourceProperties('AWS::AppSync::GraphQLApi', {
        AuthenticationType: 'AWS_LAMBDA',
        LambdaAuthorizerConfig: { AuthorizerResultTtlInSeconds: 60 },
      });
      Annotations.fromStack(stack).hasNoWarning('*', Match.anyValue());
    },
  );

  it('refuses a cache that would outlive a token by more than five minutes', () => {
    const stack = stackIn();
    const issuer = WechatTokenIssuer.fromAttributes(stack, 'Login', attributes);

    expect(() => new WechatTokenAuthorizer(stack, 'Auth', { issuer, cacheTtl: Duration.hours(1) })).toThrow(
      'Orders/Auth: cacheTtl is 3600 seconds; at most 300 are allowed',
    );
    expect(
      () => new WechatTokenAuthorizer(stack, 'Uncached', { issuer, cacheTtl: Duration.seconds(0) }),
    ).not.toThrow();
  });
});

describe('an authorizer written inline on each route', () => {
  const addRoutes = (api: HttpApi, authorizer: () => IHttpRouteAuthorizer) => {
    for (const path of ['/a', '/b'])
      api.addRoutes({
        path,
        authorizer: authorizer(),
        integration: new HttpUrlIntegration('Orders', 'https://orders.example.com'),
      });
  };
  it.each([
    ['native', (issuer: WechatTokenIssuer) => issuer.nativeJwtAuthorizer()],
    ['central', (issuer: WechatTokenIssuer) => issuer.centralAuthorizer().forHttpApi()],
  ])('is one for each HTTP API: %s', (_, authorizer) => {
    const stack = stackIn(THIS_ACCOUNT, 'eu-west-1');
    const authorizerArn = authorizerArnIn(THIS_ACCOUNT);
    const issuer = WechatTokenIssuer.fromAttributes(stack, 'Login', { ...attributes, authorizerArn });

    for (const id of ['HttpA', 'HttpB']) addRoutes(new HttpApi(stack, id), () => authorizer(issuer));

    const template = Template.fromStack(stack);
    const authorizers = template.findResources('AWS::ApiGatewayV2::Authorizer');
    expect(Object.keys(authorizers)).toHaveLength(2);
    const routes = Object.values(template.findResources('AWS::ApiGatewayV2::Route'));
    expect(routes).toHaveLength(4);
    for (const { Properties } of routes)
      expect(authorizers[Properties.AuthorizerId.Ref]?.Properties.ApiId).toEqual(Properties.ApiId);
  });

  it('is one for each HTTP and WebSocket API: copy', () => {
    const stack = stackIn();
    const issuer = WechatTokenIssuer.fromAttributes(stack, 'Login', attributes);
    const auth = new WechatTokenAuthorizer(stack, 'Auth', { issuer });
    const orders = ordersFunction(stack);
    const shared = auth.forWebSocketApi();

    addRoutes(new HttpApi(stack, 'Http'), () => auth.forHttpApi());
    for (const id of ['SocketA', 'SocketB']) {
      const integration = new WebSocketLambdaIntegration('Connect', orders);
      new WebSocketApi(stack, id, { connectRouteOptions: { integration, authorizer: shared } });
    }

    Template.fromStack(stack).resourceCountIs('AWS::ApiGatewayV2::Authorizer', 3);
  });

  it('is one for a REST API, and says what a second one needs', () => {
    const stack = stackIn();
    const issuer = WechatTokenIssuer.fromAttributes(stack, 'Login', attributes);
    const auth = new WechatTokenAuthorizer(stack, 'Auth', { issuer });
    const orders = new LambdaIntegration(ordersFunction(stack));
    const api = new RestApi(stack, 'RestA');

    for (const method of ['GET', 'POST'])
      api.root.addMethod(method, orders, { authorizer: auth.forRestApi() });
    const admin = new RestApi(stack, 'Admin');

    expect(() => admin.root.addMethod('GET', orders, { authorizer: auth.forRestApi() })).toThrow(
      "Orders/Auth/Rest is the authorizer of Orders/RestA; for Orders/Admin make another one: forRestApi('Admin')",
    );
    admin.root.addMethod('POST', orders, { authorizer: auth.forRestApi('Admin') });
    Template.fromStack(stack).resourceCountIs('AWS::ApiGateway::Authorizer', 2);
  });

  it('calls the central function with one setting for each id', () => {
    const stack = stackIn(THIS_ACCOUNT, 'eu-west-1');
    const authorizerArn = authorizerArnIn(THIS_ACCOUNT);
    const issuer = WechatTokenIssuer.fromAttributes(stack, 'Login', { ...attributes, authorizerArn });
    const uncached = { cacheTtl: Duration.seconds(0) };

    expect(issuer.centralAuthorizer()).toBe(issuer.centralAuthorizer({ cacheTtl: Duration.minutes(5) }));
    expect(() => issuer.centralAuthorizer(uncached)).toThrow(
      "Orders/Login/Central has the cacheTtl 300 seconds; for 0 seconds make another one: centralAuthorizer({ … }, '<another id>')",
    );
    expect(issuer.centralAuthorizer(uncached, 'Uncached').cacheTtl.toSeconds()).toBe(0);
  });
});

/** The SSM parameters that a deployment reads. */
const parametersOf = (template: Template): unknown[] =>
  Object.values(template.findParameters('*'))
    .map(({ Default }) => Default)
    .filter((name) => String(name).startsWith('/wechat-login/'));

describe('an issuer found by its stage', () => {
  it('is read from SSM when the consumer is deployed', () => {
    const stack = stackIn();
    const issuer = WechatTokenIssuer.fromStage(stack, 'Login', { stage: 'prod' });
    new WechatTokenAuthorizer(stack, 'Auth', { issuer });
    new HttpApi(stack, 'Http', { defaultAuthorizer: issuer.nativeJwtAuthorizer() });
    const template = Template.fromStack(stack);

    expect(parametersOf(template).sort()).toEqual([
      '/wechat-login/prod/audience',
      '/wechat-login/prod/issuer',
      '/wechat-login/prod/jwks-url',
    ]);
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: {
          TOKEN_ISSUER: { Ref: Match.stringLikeRegexp('issuer') },
          TOKEN_AUDIENCE: { Ref: Match.stringLikeRegexp('audience') },
          JWKS_URL: { Ref: Match.stringLikeRegexp('jwksurl') },
        },
      },
    });
  });
});

describe('the native JWT authorizer', () => {
  it('needs nothing but issuer and audience, and creates no function', () => {
    const stack = stackIn();
    const issuer = WechatTokenIssuer.fromAttributes(stack, 'Login', attributes);
    new HttpApi(stack, 'Http', { defaultAuthorizer: issuer.nativeJwtAuthorizer() }).addRoutes({
      path: '/',
      integration: new HttpUrlIntegration('Orders', 'https://orders.example.com'),
    });
    const template = Template.fromStack(stack);

    template.hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
      AuthorizerType: 'JWT',
      IdentitySource: ['$request.header.Authorization'],
      JwtConfiguration: { Issuer: 'https://login.example.com', Audience: ['wechat-login'] },
    });
    template.resourceCountIs('AWS::Lambda::Function', 0);
  });
});

describe('the central authorizer', () => {
  it('of the same account gets a permission for exactly the APIs that use it', () => {
    const stack = stackIn(THIS_ACCOUNT, 'eu-west-1');
    const issuer = WechatTokenIssuer.fromAttributes(stack, 'Login', {
      ...attributes,
      authorizerArn: authorizerArnIn(THIS_ACCOUNT),
    });
    addApis(stack, issuer.centralAuthorizer());

    const permissions = authorizerPermissions(Template.fromStack(stack), /login-authorizer/);
    expect(permissions).toHaveLength(3);
    for (const { Principal, SourceArn } of permissions) {
      expect(Principal).toBe('apigateway.amazonaws.com');
      expect(JSON.stringify(SourceArn)).toMatch(/\/authorizers\/",\{"Ref":/);
    }
  });

  describe('that lets in the members of some mini-programs', () => {
    const allowedAppids = ['wx0123456789abcdef', 'wxfedcba9876543210'];
    const setUp = () => {
      const stack = stackIn(THIS_ACCOUNT, 'eu-west-1');
      const authorizerArn = authorizerArnIn(LOGIN_ACCOUNT);
      const issuer = WechatTokenIssuer.fromAttributes(stack, 'Login', { ...attributes, authorizerArn });
      return { stack, issuer, central: issuer.centralAuthorizer({ allowedAppids }) };
    };

    it('is told them by every stage of its APIs, keeps decisions by them, and opens no stage that is silent', () => {
      const { stack, central } = setUp();
      addApis(stack, central);
      const http = stack.node.findChild('Http') as HttpApi;
      http.addStage('Late', { stageName: 'late', autoDeploy: true, stageVariables: { table: 'orders' } });
      new HttpApi(stack, 'Public');
      const webSocketApi = stack.node.findChild('WebSocket') as WebSocketApi;
      new WebSocketStage(stack, 'Live', { webSocketApi, stageName: 'live' });
      const template = Template.fromStack(stack);

      const list = { wechatLoginAllowedAppids: allowedAppids.join(',') };
      const ids = (type: string) =>
        Object.values(template.findResources(type)).map(({ Properties }) => Properties.IdentitySource);
      expect(ids('AWS::ApiGateway::Authorizer')).toEqual([
        'method.request.header.Authorization,stageVariables.wechatLoginAllowedAppids',
      ]);
      expect(ids('AWS::ApiGatewayV2::Authorizer')).toEqual([
        ['$request.header.Authorization', '$stageVariables.wechatLoginAllowedAppids'],
        ['route.request.querystring.token', 'stageVariables.wechatLoginAllowedAppids'],
      ]);
      template.allResourcesProperties('AWS::ApiGateway::Stage', { Variables: list });
      const stages = Object.entries(template.findResources('AWS::ApiGatewayV2::Stage'));
      expect(
        stages.map(([id, { Properties }]) => [id.slice(0, 4), Properties.StageVariables]).sort(),
      ).toEqual([
        ['Http', list],
        ['Http', { table: 'orders', ...list }],
        ['Live', list],
        ['Publ', undefined],
      ]);
    });

    it('refuses a second list for the same API, another one for the same id, and an API whose stages it cannot see', () => {
      const { stack, issuer, central } = setUp();
      const others = issuer.centralAuthorizer({ allowedAppids: ['wxfedcba9876543210'] }, 'Others');
      const integration = new HttpUrlIntegration('Orders', 'https://orders.example.com');
      const http = new HttpApi(stack, 'Http');
      http.addRoutes({ path: '/a', integration, authorizer: central.forHttpApi() });
      http.addRoutes({ path: '/b', integration, authorizer: central.forHttpApi() });

      expect(() => http.addRoutes({ path: '/c', integration, authorizer: others.forHttpApi() })).toThrow(
        "Orders/Http: wechatLoginAllowedAppids is 'wx0123456789abcdef,wxfedcba9876543210' and cannot be",
      );
      expect(issuer.centralAuthorizer({ allowedAppids })).toBe(central);
      for (const other of [undefined, ['wx0123456789abcdef']])
        expect(() => issuer.centralAuthorizer({ ...(other && { allowedAppids: other }) })).toThrow(
          'Orders/Login/Central has other allowedAppids',
        );
      expect(() => issuer.centralAuthorizer({ allowedAppids: ['*'] }, 'Every')).toThrow('allowedAppids is');

      const silent = new HttpApi(stack, 'Silent', { createDefaultStage: false });
      silent.addRoutes({
        path: '/',
        integration: new HttpUrlIntegration('Silent', 'https://orders.example.com'),
        authorizer: central.forHttpApi(),
      });
      expect(() => Template.fromStack(stack)).toThrow('no stage of this API is in Orders');
    });
  });

  it('of another account gets none here, without a warning: its owner admits this account', () => {
    const stack = stackIn(THIS_ACCOUNT, 'eu-west-1');
    const issuer = WechatTokenIssuer.fromAttributes(stack, 'Login', {
      ...attributes,
      authorizerArn: authorizerArnIn(LOGIN_ACCOUNT),
    });
    addApis(stack, issuer.centralAuthorizer());
    const template = Template.fromStack(stack);

    expect(authorizerPermissions(template, /login-authorizer/)).toEqual([]);
    Annotations.fromStack(stack).hasNoWarning('*', Match.anyValue());
    for (const type of ['AWS::ApiGatewayV2::Authorizer', 'AWS::ApiGateway::Authorizer'])
      for (const { Properties } of Object.values(template.findResources(type)))
        expect(JSON.stringify(Properties.AuthorizerUri)).toContain(
          `:apigateway:eu-west-1:lambda:path/2015-03-31/functions/${authorizerArnIn(LOGIN_ACCOUNT)}/invocations`,
        );
  });

  it.each([
    ['an environment that is not known', undefined, undefined],
    ['a known one', THIS_ACCOUNT, 'eu-west-1'],
  ])('found by its stage gets its permissions in %s', (_, account, region) => {
    const stack = stackIn(account, region);
    addApis(stack, WechatTokenIssuer.fromStage(stack, 'Login', { stage: 'prod' }).centralAuthorizer());
    const template = Template.fromStack(stack);

    expect(parametersOf(template)).toEqual(['/wechat-login/prod/authorizer-arn']);
    const permissions = authorizerPermissions(template, /authorizerarn/);
    expect(permissions).toHaveLength(3);
    for (const { SourceArn } of permissions) expect(JSON.stringify(SourceArn)).toContain('/authorizers/');
    Annotations.fromStack(stack).hasNoWarning('*', Match.anyValue());
  });

  it('asks to be told the account where it cannot know it', () => {
    const stack = stackIn();
    const given = { ...attributes, authorizerArn: authorizerArnIn(LOGIN_ACCOUNT) };
    const issuer = WechatTokenIssuer.fromAttributes(stack, 'Login', given);

    expect(() => issuer.centralAuthorizer()).toThrow('set authorizerInThisAccount');

    const told = WechatTokenIssuer.fromAttributes(stack, 'Told', {
      ...given,
      authorizerInThisAccount: false,
    });
    addApis(stack, told.centralAuthorizer());
    expect(authorizerPermissions(Template.fromStack(stack), /login-authorizer/)).toEqual([]);
  });

  it('is refused where no API is allowed to call it: in another region', () => {
    const stack = stackIn(THIS_ACCOUNT, 'eu-west-1');
    const issuer = WechatTokenIssuer.fromAttributes(stack, 'Login', {
      ...attributes,
      authorizerArn: authorizerArnIn(LOGIN_ACCOUNT, 'us-east-1'),
    });

    expect(() => issuer.centralAuthorizer()).toThrow(
      'Orders/Login/Central: the central authorizer is in us-east-1 and this stack in eu-west-1',
    );
  });

  it('is refused when its ARN is not known', () => {
    const issuer = WechatTokenIssuer.fromAttributes(stackIn(), 'Login', attributes);

    expect(() => issuer.centralAuthorizer()).toThrow('Orders/Login: there is no authorizerArn');
  });
});

describe('an issuer', () => {
  it.each(['login-authorizer', 'arn:aws:lambda:eu-west-1:222222222222:function:login-authorizer'])(
    'with the authorizer %j is refused: it lacks its alias',
    (authorizerArn) => {
      expect(() =>
        WechatTokenIssuer.fromAttributes(stackIn(), 'Login', { ...attributes, authorizerArn }),
      ).toThrow(
        `Orders/Login: authorizerArn is '${authorizerArn}'; it must be the ARN of the function with its alias`,
      );
    },
  );

  it.each([
    'http://login.example.com',
    'login.example.com',
    'https://login.example.com/',
    'https://',
    'https://login.example.com?x=1',
    'https://login.example.com#x',
    '',
  ])('at %j is refused', (issuer) => {
    expect(() => WechatTokenIssuer.fromAttributes(stackIn(), 'Login', { ...attributes, issuer })).toThrow(
      `Orders/Login: issuer is '${issuer}'; it must be an https URL`,
    );
  });

  it.each(['', ' '])(
    'with the audience %j is refused: it would name nobody the tokens are meant for',
    (audience) => {
      expect(() => WechatTokenIssuer.fromAttributes(stackIn(), 'Login', { ...attributes, audience })).toThrow(
        `Orders/Login: audience is '${audience}'; it must be the tokens' aud, such as 'wechat-login'`,
      );
    },
  );

  it('with a path, in China, or on this machine is accepted', () => {
    for (const issuer of [
      'https://abc.execute-api.cn-north-1.amazonaws.com.cn/v1',
      'http://127.0.0.1:3000',
      'https://a',
    ])
      expect(WechatTokenIssuer.fromAttributes(stackIn(), 'Login', { ...attributes, issuer }).jwksUrl).toBe(
        `${issuer}/.well-known/jwks.json`,
      );
  });
});
