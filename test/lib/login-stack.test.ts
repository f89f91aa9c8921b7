import { existsSync, readFileSync } from 'node:fs';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import { destructiveChanges } from '../../bin/templates/destructive-changes.ts';
import { normalized } from '../../bin/templates/stage-template.ts';
import { errorCatalogue } from '../../functions/contracts/errors.ts';
import { errorsAnywhere, type Route, routes } from '../../functions/contracts/routes.ts';
import { currentValueOnly } from '../../lib/data/current-value-only.ts';
import { stageNames } from '../fixtures/stages.ts';
import { different, nothing, synthesize } from './synthesize.ts';

interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
}

const resourcesOf = (template: Template, type: string): Record<string, Resource> =>
  template.findResources(type) as Record<string, Resource>;

describe('the stack of stage dev', () => {
  let template: Template;
  beforeAll(() => {
    template = synthesize('dev');
  });

  it('keys the users table by pk, indexes it by openid and appid and by what is to be erased, and lets records expire', () => {
    template.resourceCountIs('AWS::DynamoDB::GlobalTable', 1);
    template.hasResourceProperties('AWS::DynamoDB::GlobalTable', {
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
      GlobalSecondaryIndexes: [
        {
          IndexName: 'openid-index',
          KeySchema: [
            { AttributeName: 'openid', KeyType: 'HASH' },
            { AttributeName: 'appid', KeyType: 'RANGE' },
          ],
          Projection: {
            ProjectionType: 'INCLUDE',
            NonKeyAttributes: Match.arrayWith(['username', 'sex', 'avatar', 'status']),
          },
        },
        {
          IndexName: 'closing-index',
          KeySchema: [
            { AttributeName: 'status', KeyType: 'HASH' },
            { AttributeName: 'closes_at', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
      TimeToLiveSpecification: { AttributeName: 'expires_at', Enabled: true },
    });
  });

  it('does not project the phone number into the index', () => {
    expect(JSON.stringify(resourcesOf(template, 'AWS::DynamoDB::GlobalTable'))).not.toContain('phone');
  });

  it('keeps the logical ids of what holds data', () => {
    expect(Object.keys(resourcesOf(template, 'AWS::DynamoDB::GlobalTable'))).toEqual(['UsersTable6D91A5EE']);
    expect(Object.keys(resourcesOf(template, 'AWS::SecretsManager::Secret')).sort()).toEqual([
      'KeyRingSecret73EFAB8B',
      'WechatSecrets868B38D7',
    ]);
  });

  it('gives each role exactly these actions', () => {
    const traces = ['xray:PutTelemetryRecords on *', 'xray:PutTraceSegments on *'];
    expect(actionsByRole(template)).toEqual({
      Login: [
        'dynamodb:BatchGetItem on UsersTable6D91A5EE where pk is not changes#*',
        'dynamodb:ConditionCheckItem on UsersTable6D91A5EE where pk is erased#*',
        'dynamodb:GetItem on UsersTable6D91A5EE where pk is not changes#*',
        'dynamodb:PutItem on UsersTable6D91A5EE where pk is not jwks, revoked#*, erased#*, push#*, changes#*',
        'dynamodb:Query on UsersTable6D91A5EE/index/openid-index',
        'dynamodb:UpdateItem on UsersTable6D91A5EE where pk is not jwks, revoked#*, erased#*, push#*, openid#*#*',
        'logs:CreateLogStream on LoginLogs3CF9BBAF',
        'logs:PutLogEvents on LoginLogs3CF9BBAF',
        'secretsmanager:GetSecretValue on KeyRingSecret73EFAB8B where it is AWSCURRENT',
        'secretsmanager:GetSecretValue on WechatSecrets868B38D7 where it is AWSCURRENT',
        ...traces,
      ],
      Member: [
        'dynamodb:GetItem on UsersTable6D91A5EE where pk is not changes#*, code#*, erased#*, openid#*#*, revoked#*, push#*',
        'dynamodb:PutItem on UsersTable6D91A5EE where pk is revoked#*',
        'dynamodb:UpdateItem on UsersTable6D91A5EE where pk is not jwks, changes#*, code#*, erased#*, openid#*#*, revoked#*, push#*',
        'logs:CreateLogStream on MemberLogs73BA7B56',
        'logs:PutLogEvents on MemberLogs73BA7B56',
        ...traces,
      ],
      Account: [
        'dynamodb:DeleteItem on UsersTable6D91A5EE where pk is not jwks, changes#*, code#*, erased#*, revoked#*',
        'dynamodb:GetItem on UsersTable6D91A5EE where pk is not changes#*, code#*, erased#*, revoked#*, push#*',
        'dynamodb:PutItem on UsersTable6D91A5EE where pk is push#*',
        'dynamodb:Query on UsersTable6D91A5EE/index/closing-index',
        'dynamodb:UpdateItem on UsersTable6D91A5EE where pk is not jwks, code#*, openid#*#*, revoked#*, push#*',
        'logs:CreateLogStream on AccountLogsB90DE9C1',
        'logs:PutLogEvents on AccountLogsB90DE9C1',
        'secretsmanager:GetSecretValue on WechatSecrets868B38D7 where it is AWSCURRENT',
        ...traces,
      ],
      Authorizer: [
        'dynamodb:BatchGetItem on UsersTable6D91A5EE',
        'dynamodb:GetItem on UsersTable6D91A5EE where pk is jwks',
        'logs:CreateLogStream on AuthorizerLogsF64AA3CA',
        'logs:PutLogEvents on AuthorizerLogsF64AA3CA',
        ...traces,
      ],
      Rotation: [
        'dynamodb:GetItem on UsersTable6D91A5EE where pk is jwks',
        'dynamodb:PutItem on UsersTable6D91A5EE where pk is jwks',
        'logs:CreateLogStream on RotationLogsE1CE7F9C',
        'logs:PutLogEvents on RotationLogsE1CE7F9C',
        'secretsmanager:DescribeSecret on KeyRingSecret73EFAB8B',
        'secretsmanager:GetSecretValue on KeyRingSecret73EFAB8B',
        'secretsmanager:PutSecretValue on KeyRingSecret73EFAB8B',
        'secretsmanager:UpdateSecretVersionStage on KeyRingSecret73EFAB8B',
        ...traces,
      ],
      JwksReader: ['dynamodb:GetItem on UsersTable6D91A5EE where pk is jwks'],
    });
  });

  it('lets API Gateway, and nobody else, act as the reader of the public keys', () => {
    template.hasResourceProperties('AWS::IAM::Role', {
      Description: Match.stringLikeRegexp('public keys'),
      AssumeRolePolicyDocument: {
        Statement: [
          { Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { Service: 'apigateway.amazonaws.com' } },
        ],
      },
    });
  });

  it('serves both public documents without a function, cacheable, whatever is sent, and never passes a body on', () => {
    const methods = methodsByRoute(template);
    for (const [path, type, maxAge] of [
      ['/.well-known/openid-configuration', 'MOCK', 3600],
      ['/.well-known/jwks.json', 'AWS', 300],
    ] as const) {
      expect(methods.get(`GET ${path}`), path).toMatchObject({
        AuthorizationType: 'NONE',
        Integration: {
          Type: type,
          PassthroughBehavior: 'NEVER',
          RequestTemplates: { 'application/json': expect.anything(), 'text/plain': expect.anything() },
          IntegrationResponses: expect.arrayContaining([
            expect.objectContaining({
              StatusCode: '200',
              ResponseParameters: expect.objectContaining({
                'method.response.header.Cache-Control': `'public, max-age=${maxAge}'`,
              }),
            }),
          ]),
        },
      });
    }
    expect(methods.get('GET /.well-known/jwks.json')).toMatchObject({
      Integration: { Credentials: { 'Fn::GetAtt': [expect.stringContaining('JwksReader'), 'Arn'] } },
    });
  });

  it('starts no function with a debug switch: they print URLs, which hold the AppSecret', () => {
    for (const { Properties: lambda } of Object.values(resourcesOf(template, 'AWS::Lambda::Function'))) {
      const { Variables = {} } = lambda.Environment as { Variables?: object };
      expect(Object.keys(Variables).filter((name) => /^(NODE_|DEBUG$)/.test(name))).toEqual([]);
    }
  });

  it('attaches no managed policy to any role', () => {
    for (const role of Object.values(resourcesOf(template, 'AWS::IAM::Role'))) {
      expect(role.Properties.ManagedPolicyArns).toBeUndefined();
    }
  });

  it('calls the authorizer on every route but the public ones, each time anew', () => {
    const methods = methodsByRoute(template);
    for (const route of routes as readonly Route[]) {
      const method = methods.get(`${route.method} ${route.path}`);
      expect(method?.AuthorizationType, `${route.method} ${route.path}`).toBe(
        route.auth === 'token' ? 'CUSTOM' : 'NONE',
      );
    }
    const answered = [...methods.keys()].filter((key) => !key.startsWith('ANY '));
    expect(answered.sort()).toEqual(
      (routes as readonly Route[])
        .flatMap(({ method, path }) =>
          method === 'GET' ? [`GET ${path}`, `HEAD ${path}`] : [`${method} ${path}`],
        )
        .sort(),
    );
    template.hasResourceProperties('AWS::ApiGateway::Authorizer', {
      Type: 'REQUEST',
      AuthorizerResultTtlInSeconds: 0,
      IdentitySource: 'method.request.header.Authorization',
    });
  });

  it('answers HEAD as it answers GET, for probes', () => {
    const methods = methodsByRoute(template);
    const read = [...methods.keys()].filter((key) => key.startsWith('GET '));

    expect(read.length).toBeGreaterThan(4);
    for (const key of read) {
      const { HttpMethod: _, ...probe } = methods.get(key.replace('GET', 'HEAD')) ?? {};
      expect(methods.get(key)).toEqual({ ...probe, HttpMethod: 'GET' });
    }
  });

  it('refuses other methods of a known path with 405 and all that it has in Allow, and other paths with 404, by itself', () => {
    const refusals = [...methodsByRoute(template)].filter(([key]) => key.startsWith('ANY '));
    const said = refusals.map(([key, { AuthorizationType, Integration }]) => {
      const { Type, IntegrationResponses } = Integration as Record<string, unknown>;
      expect([AuthorizationType, Type]).toEqual(['NONE', 'MOCK']);
      const [response] = IntegrationResponses as {
        StatusCode: string;
        ResponseParameters: Record<string, string>;
      }[];
      return [
        key.slice(4),
        response?.StatusCode,
        response?.ResponseParameters['method.response.header.Allow'],
      ];
    });

    const paths = new Set((routes as readonly Route[]).map(({ path }) => path));
    expect(said.filter(([, status]) => status === '405').map(([path]) => path)).toEqual([...paths]);
    expect(said).toContainEqual(['/member/login', '405', "'POST'"]);
    expect(said).toContainEqual(['/health', '405', "'GET, HEAD'"]);
    expect(
      said
        .filter(([, status]) => status === '404')
        .map(([path]) => path)
        .sort(),
    ).toEqual(['', '/.well-known', '/member', '/wechat', '/wechat/events', '/{proxy+}']);
  });

  it('says on every response of its own that the media type is as it is said, and that there is no way but https', () => {
    const wanted = {
      'Strict-Transport-Security': "'max-age=31536000'",
      'X-Content-Type-Options': "'nosniff'",
    };
    const named = (prefix: string) =>
      expect.objectContaining(
        Object.fromEntries(
          Object.entries(wanted).map(([name, value]) => [`${prefix}.header.${name}`, value]),
        ),
      );
    let seen = 0;

    for (const { Properties: response } of Object.values(
      resourcesOf(template, 'AWS::ApiGateway::GatewayResponse'),
    ))
      expect(response.ResponseParameters, String(response.ResponseType)).toEqual(named('gatewayresponse'));
    for (const [key, { Integration }] of methodsByRoute(template)) {
      const { IntegrationResponses = [] } = Integration as {
        IntegrationResponses?: { ResponseParameters: object }[];
      };
      for (const { ResponseParameters } of IntegrationResponses) {
        seen++;
        expect(ResponseParameters, key).toEqual(named('method.response'));
      }
    }
    expect(seen).toBeGreaterThan(10);
  });

  it('challenges wherever it refuses with 401 itself', () => {
    const responses = Object.values(resourcesOf(template, 'AWS::ApiGateway::GatewayResponse'));
    const refusals = responses.filter(({ Properties }) => Properties.StatusCode === '401');

    expect(refusals.length).toBeGreaterThan(2);
    for (const { Properties } of refusals)
      expect(Properties.ResponseParameters).toMatchObject({
        'gatewayresponse.header.WWW-Authenticate': "'Bearer'",
      });
  });

  it('wraps every refusal of the gateway in the envelope, with the status it repeats', () => {
    const responses = Object.values(resourcesOf(template, 'AWS::ApiGateway::GatewayResponse'));
    expect(responses.length).toBeGreaterThanOrEqual(18);
    for (const { Properties: response } of responses) {
      const templates = response.ResponseTemplates as Record<string, string>;
      const envelope = JSON.parse(templates['application/json'] ?? '') as Record<string, unknown>;
      expect(String(envelope.code)).toBe(response.StatusCode);
      expect(envelope).toMatchObject({ msg: expect.any(String), request_id: '$context.requestId' });
      if (response.ResponseType !== 'ACCESS_DENIED')
        expect(errorCatalogue).toHaveProperty(String(envelope.error));
    }
  });

  it('has API Gateway end no request in an error that the contract does not name for it', () => {
    const templates = Object.values(resourcesOf(template, 'AWS::ApiGateway::GatewayResponse')).map(
      ({ Properties }) => (Properties.ResponseTemplates as Record<string, string>)['application/json'] ?? '',
    );
    const errors = new Set(templates.map((text) => (JSON.parse(text) as { error: string }).error));

    // A denial says which; the method of no route is refused by an integration; documents take no body of any kind.
    const elsewhere = ['unauthorized', '$context.authorizer.error', 'not_found', 'unsupported_media_type'];
    expect([...errors].filter((error) => !elsewhere.includes(error)).sort()).toEqual(
      [...errorsAnywhere].sort(),
    );
  });

  it('takes a failing authorizer for trouble that passes, under both names that API Gateway has for it', () => {
    for (const ResponseType of ['AUTHORIZER_FAILURE', 'AUTHORIZER_CONFIGURATION_ERROR'])
      template.hasResourceProperties('AWS::ApiGateway::GatewayResponse', {
        ResponseType,
        StatusCode: '503',
        ResponseParameters: Match.objectLike({ 'gatewayresponse.header.Retry-After': "'2'" }),
        ResponseTemplates: { 'application/json': Match.stringLikeRegexp('"error":"unavailable"') },
      });
  });

  it('shows in the envelope of a denial the name that the authorizer gives to the reason', () => {
    template.hasResourceProperties('AWS::ApiGateway::GatewayResponse', {
      ResponseType: 'ACCESS_DENIED',
      StatusCode: '403',
      ResponseTemplates: {
        'application/json': Match.stringLikeRegexp('"error":"\\$context\\.authorizer\\.error"'),
      },
    });
  });

  it.each([
    'AUTHORIZER_FAILURE',
    'AUTHORIZER_CONFIGURATION_ERROR',
    'INTEGRATION_FAILURE',
    'INTEGRATION_TIMEOUT',
  ])('takes %s, which is trouble of ours, for no fault of the token', (ResponseType) => {
    template.hasResourceProperties('AWS::ApiGateway::GatewayResponse', {
      ResponseType,
      StatusCode: Match.stringLikeRegexp('^50[03]$'),
    });
  });

  it('runs every function on the runtime that the tests run on, bundled, on its own log group', () => {
    const functions = Object.values(resourcesOf(template, 'AWS::Lambda::Function'));
    expect(functions).toHaveLength(5);
    for (const { Properties: lambda } of functions) {
      expect(lambda.Runtime).toBe(`nodejs${process.versions.node.split('.')[0]}.x`);
      expect(lambda.Architectures).toEqual(['arm64']);
      expect(lambda.LoggingConfig).toMatchObject({ LogGroup: { Ref: expect.stringContaining('Logs') } });
    }
  });

  it('tells other stacks and the operator commands by SSM parameters what they need', () => {
    const parameters = Object.values(resourcesOf(template, 'AWS::SSM::Parameter'))
      .map(({ Properties: { Name, Value } }) => [Name, Value])
      .filter(([name]) => String(name).startsWith('/wechat-login/'));

    expect(Object.fromEntries(parameters)).toEqual({
      '/wechat-login/dev/issuer': expect.anything(),
      '/wechat-login/dev/audience': 'wechat-login',
      '/wechat-login/dev/jwks-url': expect.anything(),
      '/wechat-login/dev/authorizer-arn': { Ref: expect.stringMatching(/^AuthorizerLive/) },
      '/wechat-login/dev/users-table': { Ref: 'UsersTable6D91A5EE' },
      '/wechat-login/dev/key-ring-arn': { Ref: 'KeyRingSecret73EFAB8B' },
      '/wechat-login/dev/key-rotation-days': '30',
      '/wechat-login/dev/wechat-secrets-arn': { Ref: expect.stringMatching(/^WechatSecrets/) },
      '/wechat-login/dev/appids': 'wx0123456789abcdef',
      '/wechat-login/dev/login-log-group': { Ref: expect.stringMatching(/^LoginLogs/) },
    });
  });

  it('lets no account but its own call the authorizer', () => {
    expect(authorizerCallers(template)).toHaveLength(1);
    expect(JSON.stringify(authorizerCallers(template))).not.toMatch(/\d{12}/);
  });

  it('rotates the key ring by itself, starting with the first deployment', () => {
    const [permission] = Object.keys(resourcesOf(template, 'AWS::Lambda::Permission')).filter((id) =>
      id.includes('RotatedBySecretsManager'),
    );
    template.hasResource('AWS::SecretsManager::RotationSchedule', {
      Properties: { RotateImmediatelyOnUpdate: true, RotationRules: { AutomaticallyAfterDays: 30 } },
      DependsOn: Match.arrayWith([permission]),
    });
    template.hasResourceProperties('AWS::Lambda::Permission', {
      Principal: 'secretsmanager.amazonaws.com',
      SourceAccount: { Ref: 'AWS::AccountId' },
    });
  });

  it('puts no secret of WeChat into the template', () => {
    template.hasResourceProperties('AWS::SecretsManager::Secret', { SecretString: '{}' });
  });
});

describe('every stage', () => {
  it.each(stageNames)('%s synthesizes to the recorded template', async (stage) => {
    const recorded = new URL(`./__snapshots__/${stage}.template.json`, import.meta.url);
    const next = normalized(synthesize(stage).toJSON());

    // Before the comparison, so that `-u` does not record it: who means it removes the recorded template first.
    if (existsSync(recorded))
      expect(destructiveChanges(JSON.parse(readFileSync(recorded, 'utf8')), JSON.parse(next))).toEqual([]);
    await expect(next).toMatchFileSnapshot(`./__snapshots__/${stage}.template.json`);
  });

  it.each(stageNames)('%s has a name of its own in what its functions log and measure', (stage) => {
    const lambdas = Object.values(resourcesOf(synthesize(stage), 'AWS::Lambda::Function'));

    for (const { Properties: lambda } of lambdas)
      expect(lambda.Environment).toMatchObject({
        Variables: { POWERTOOLS_SERVICE_NAME: `wechat-login-${stage}` },
      });
    expect(lambdas.length).toBeGreaterThan(0);
  });

  it.each(['prod', 'prod-cn'])('%s survives mistakes: protected, recoverable, retained', (stage) => {
    const template = synthesize(stage);
    template.hasResource('AWS::DynamoDB::GlobalTable', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        Replicas: [
          Match.objectLike({
            DeletionProtectionEnabled: true,
            PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          }),
        ],
      },
    });
    template.allResources('AWS::SecretsManager::Secret', { DeletionPolicy: 'Retain' });
  });

  it.each(stageNames)('%s is written in ASCII, which CloudFormation gives back as it is', (stage) => {
    expect(/[^\n\x20-\x7e].{0,20}/.exec(normalized(synthesize(stage).toJSON()))?.[0]).toBeUndefined();
  });

  const consumerAccounts = ['111111111111', '222222222222'];
  const inChina = (): Template =>
    synthesize('prod-cn', { region: 'cn-north-1', settings: { consumerAccounts } });

  it('names no partition of its own, so that China regions deploy the same code', () => {
    const china = JSON.stringify(inChina().toJSON());

    expect(china).not.toContain('arn:aws:');
    expect(china).toContain('arn:aws-cn:');
    expect(china).not.toContain('.amazonaws.com/');
  });

  it('lets the authorizers of exactly the listed accounts call ours', () => {
    const sources = authorizerCallers(inChina()).map(({ SourceArn }) => SourceArn);
    expect(sources).toEqual(
      expect.arrayContaining(
        consumerAccounts.map((account) => `arn:aws-cn:execute-api:cn-north-1:${account}:*/authorizers/*`),
      ),
    );
    expect(sources).toHaveLength(consumerAccounts.length + 1);
  });

  it('lets the authorizer read no user where revocation is off', () => {
    const template = synthesize('prod', { settings: nothing });

    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ CHECK_REVOCATION: 'false' }) },
    });
    expect(actionsByRole(template).Authorizer).not.toContainEqual(expect.stringContaining('BatchGetItem'));
  });

  it('uses the public URL as the issuer where there is one', () => {
    const template = synthesize('dev', { settings: different });

    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ TOKEN_ISSUER: 'https://login.example.com' }) },
    });
  });
});

/** The permissions to call the authorizer. */
function authorizerCallers(template: Template): Record<string, unknown>[] {
  const permissions = Object.values(resourcesOf(template, 'AWS::Lambda::Permission'))
    .map(({ Properties }) => Properties)
    .filter(({ FunctionName }) => JSON.stringify(FunctionName).includes('"AuthorizerLive'));
  for (const permission of permissions) {
    expect(permission.Principal).toBe('apigateway.amazonaws.com');
    expect(permission.SourceArn).toBeDefined();
  }
  return permissions;
}

/** `"GET /member/me"` to the method's properties. */
function methodsByRoute(template: Template): Map<string, Record<string, unknown>> {
  const resources = resourcesOf(template, 'AWS::ApiGateway::Resource');
  const pathOf = (reference: unknown): string => {
    const id = (reference as { Ref?: string }).Ref;
    const resource = id === undefined ? undefined : resources[id];
    return resource === undefined
      ? ''
      : `${pathOf(resource.Properties.ParentId)}/${resource.Properties.PathPart}`;
  };
  return new Map(
    Object.values(resourcesOf(template, 'AWS::ApiGateway::Method')).map(({ Properties: method }) => [
      `${method.HttpMethod} ${pathOf(method.ResourceId)}`,
      method,
    ]),
  );
}

/** What each function's role may do, as sentences. */
function actionsByRole(template: Template): Record<string, string[]> {
  const sentences: Record<string, string[]> = {};
  for (const { Properties: policy } of Object.values(resourcesOf(template, 'AWS::IAM::Policy'))) {
    const role = String((policy.Roles as { Ref: string }[])[0]?.Ref).replace(/(Role)?[0-9A-F]{8}$/, '');
    const statements = (policy.PolicyDocument as { Statement: Record<string, unknown>[] }).Statement;
    sentences[role] = statements
      .flatMap((statement) => {
        expect(statement.Effect).toBe('Allow');
        const where = restriction(statement.Condition);
        return [statement.Action]
          .flat()
          .flatMap((action) =>
            [statement.Resource].flat().map((resource) => `${action} on ${resourceName(resource)}${where}`),
          );
      })
      .sort();
  }
  return sentences;
}

/** What a statement is limited to. */
function restriction(condition: unknown): string {
  if (condition === undefined) return '';
  if (JSON.stringify(condition) === JSON.stringify(currentValueOnly)) return ' where it is AWSCURRENT';
  const [[operator, { 'dynamodb:LeadingKeys': keys = [] }] = ['', {}], ...more] = Object.entries(
    condition as Record<string, Record<string, string[]>>,
  );
  expect(more).toEqual([]);
  if (operator === 'ForAllValues:StringNotLike') return ` where pk is not ${keys.join(', ')}`;
  expect(operator).toBe(`ForAllValues:${keys[0]?.includes('*') ? 'StringLike' : 'StringEquals'}`);
  return ` where pk is ${keys.join(', ')}`;
}

function resourceName(resource: unknown): string {
  const value = resource as { Ref?: string; 'Fn::GetAtt'?: string[]; 'Fn::Join'?: [string, unknown[]] };
  if (value.Ref !== undefined) return value.Ref;
  if (value['Fn::GetAtt']?.[0] !== undefined) return value['Fn::GetAtt'][0];
  if (value['Fn::Join'] !== undefined) {
    const [separator, parts] = value['Fn::Join'];
    return parts.map((part) => (typeof part === 'string' ? part : resourceName(part))).join(separator);
  }
  return String(resource);
}
