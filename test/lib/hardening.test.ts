import { Match, type Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import { errorCatalogue } from '../../functions/contracts/errors.ts';
import { settingsFor, stageNames } from '../fixtures/stages.ts';
import { different, everything, nothing, synthesize } from './synthesize.ts';

interface Resource {
  readonly Properties: Record<string, unknown>;
}

const resourcesOf = (template: Template, type: string): Record<string, Resource> =>
  template.findResources(type) as Record<string, Resource>;

/** The one resource of a type. */
function only(template: Template, type: string): { id: string; properties: Record<string, unknown> } {
  const [found, ...others] = Object.entries(resourcesOf(template, type));
  if (found === undefined || others.length > 0) throw new Error(`There is not exactly one ${type}`);
  return { id: found[0], properties: found[1].Properties };
}

/** One template with every part, and one with none that can be left out. */
let full: Template;
let bare: Template;
/** And one whose parts are different from what a stage comes with. */
let other: Template;
beforeAll(() => {
  full = synthesize('prod', { settings: everything });
  bare = synthesize('prod', { settings: nothing });
  other = synthesize('dev', { settings: different });
});

describe('the access log', () => {
  const line = (): Record<string, string> => {
    const { Format } = only(full, 'AWS::ApiGateway::Stage').properties.AccessLogSetting as { Format: string };
    return JSON.parse(Format);
  };

  it('is one JSON object a request, and repeats nothing that the client has sent', () => {
    const variables = Object.values(line()).flatMap((value) => value.match(/\$context\.[\w.]+/g) ?? []);

    expect(line()).toMatchObject({
      request_id: '$context.requestId',
      // Which no caller can choose.
      extended_request_id: '$context.extendedRequestId',
    });
    for (const variable of variables)
      expect(variable).not.toMatch(
        /\.path$|query|header|body|userAgent|authorizer\.(principalId|token)|identity\.(?!sourceIp)/i,
      );
  });

  it.each([
    ['ThrottledRequests', '{ $.refusal = "THROTTLED" }'],
    ['GatewayFailures', '{ ($.status = "5*") && (($.refusal != "-") || ($.route = "/.well-known/*")) }'],
  ])('has the fields that %s are counted by', (MetricName, FilterPattern) => {
    full.hasResourceProperties('AWS::Logs::MetricFilter', {
      FilterPattern,
      MetricTransformations: [
        {
          MetricNamespace: 'WechatLogin',
          MetricName,
          MetricValue: '1',
          Dimensions: [{ Key: 'service', Value: '$.service' }],
        },
      ],
    });
    expect(line()).toMatchObject({
      service: 'wechat-login-prod',
      status: '$context.status',
      route: '$context.resourcePath',
      refusal: '$context.error.responseType',
    });
  });

  it('is set up only after API Gateway has its role, which stays for the other APIs of the account', () => {
    const { id } = only(full, 'AWS::ApiGateway::Account');

    full.hasResource('AWS::ApiGateway::Stage', { DependsOn: Match.arrayWith([id]) });
    full.hasResource('AWS::ApiGateway::Account', { DeletionPolicy: 'Retain' });
    full.hasResource('AWS::IAM::Role', {
      DeletionPolicy: 'Retain',
      Properties: {
        Policies: [
          {
            PolicyDocument: {
              Statement: [{ Action: Match.arrayWith(['logs:PutLogEvents']), Resource: '*' }],
            },
          },
        ],
      },
    });
  });

  it('takes the role that is there already where the stage says so', () => {
    bare.resourceCountIs('AWS::ApiGateway::Account', 0);
    bare.hasResourceProperties('AWS::ApiGateway::Stage', { AccessLogSetting: Match.anyValue() });
  });
});

describe('throttles', () => {
  it('limit every route, and the login more, because it spends the quota at WeChat', () => {
    other.hasResourceProperties('AWS::ApiGateway::Stage', {
      MethodSettings: [
        Match.objectLike({
          ResourcePath: '/*',
          HttpMethod: '*',
          ThrottlingRateLimit: 7,
          ThrottlingBurstLimit: 8,
        }),
        Match.objectLike({
          ResourcePath: '/~1member~1login',
          HttpMethod: 'POST',
          ThrottlingRateLimit: 3,
          ThrottlingBurstLimit: 4,
        }),
      ],
    });
  });
});

describe('the web ACL', () => {
  const rules = (): Record<string, unknown>[] => {
    return only(full, 'AWS::WAFv2::WebACL').properties.Rules as Record<string, unknown>[];
  };

  it('stands before the API in production, and nowhere else unless it is asked for', () => {
    full.hasResourceProperties('AWS::WAFv2::WebACLAssociation', {
      ResourceArn: { 'Fn::Join': ['', Match.arrayWith([Match.stringLikeRegexp('/restapis/')])] },
    });
    synthesize('prod').resourceCountIs('AWS::WAFv2::WebACL', 1);
    synthesize('dev').resourceCountIs('AWS::WAFv2::WebACL', 0);
  });

  it('limits the logins of one address, whatever stands before the path or is encoded in it', () => {
    expect(rules()[0]).toMatchObject({
      Statement: {
        RateBasedStatement: {
          AggregateKeyType: 'IP',
          Limit: 1000,
          EvaluationWindowSec: 300,
          ScopeDownStatement: {
            ByteMatchStatement: {
              SearchString: '/member/login',
              PositionalConstraint: 'CONTAINS',
              TextTransformations: [
                { Priority: 0, Type: 'URL_DECODE' },
                { Priority: 1, Type: 'NORMALIZE_PATH' },
              ],
            },
          },
        },
      },
    });
  });

  it('limits all that one address requests, far below what a route lets through for everybody', () => {
    const { throttle, requestsPerIpIn5Minutes, loginsPerIpIn5Minutes } = settingsFor('prod');

    expect(rules()[1]?.Statement).toEqual({
      RateBasedStatement: { AggregateKeyType: 'IP', Limit: 10_000, EvaluationWindowSec: 300 },
    });
    expect(requestsPerIpIn5Minutes).toBeLessThan((throttle.requestsPerSecond * 300) / 10);
    expect(requestsPerIpIn5Minutes).toBeGreaterThan(loginsPerIpIn5Minutes);
  });

  it('keeps no samples of requests, which would hold tokens', () => {
    const text = JSON.stringify(only(full, 'AWS::WAFv2::WebACL').properties);

    expect(text).toContain('"SampledRequestsEnabled":false');
    expect(text).not.toContain('"SampledRequestsEnabled":true');
  });

  it('says so in the envelope, and when to try again', () => {
    const { CustomResponseBodies } = only(full, 'AWS::WAFv2::WebACL').properties;
    const bodies = CustomResponseBodies as Record<string, { Content: string }>;
    const [rule] = rules() as [{ Action: { Block: { CustomResponse: { CustomResponseBodyKey: string } } } }];
    const { CustomResponse } = rule.Action.Block;

    expect(CustomResponse).toMatchObject({
      ResponseCode: 429,
      ResponseHeaders: expect.arrayContaining([
        { Name: 'Retry-After', Value: '10' },
        { Name: 'Cache-Control', Value: 'no-store' },
        { Name: 'X-Content-Type-Options', Value: 'nosniff' },
        { Name: 'Strict-Transport-Security', Value: 'max-age=31536000' },
      ]),
    });
    expect(rules()[1]).toMatchObject({ Action: { Block: { CustomResponse } } });
    expect(JSON.parse(bodies[CustomResponse.CustomResponseBodyKey]?.Content ?? '')).toEqual({
      code: 429,
      msg: `${errorCatalogue.rate_limited.zh} / ${errorCatalogue.rate_limited.en}`,
      error: 'rate_limited',
      request_id: '',
    });
  });

  it('only counts what would refuse a nickname, or who fetches the keys without a name', () => {
    expect(rules()[2]).toMatchObject({
      OverrideAction: { None: {} },
      Statement: {
        ManagedRuleGroupStatement: {
          VendorName: 'AWS',
          Name: 'AWSManagedRulesCommonRuleSet',
          RuleActionOverrides: expect.arrayContaining(
            ['SizeRestrictions_BODY', 'CrossSiteScripting_BODY', 'NoUserAgent_HEADER'].map((Name) => ({
              Name,
              ActionToUse: { Count: {} },
            })),
          ),
        },
      },
    });
  });
});

describe('the key of the secrets', () => {
  it('encrypts both, rotates, and stays where data is protected', () => {
    const { id } = only(full, 'AWS::KMS::Key');

    full.allResourcesProperties('AWS::SecretsManager::Secret', { KmsKeyId: { 'Fn::GetAtt': [id, 'Arn'] } });
    full.hasResource('AWS::KMS::Key', {
      DeletionPolicy: 'Retain',
      Properties: { EnableKeyRotation: true },
    });
    bare.resourceCountIs('AWS::KMS::Key', 0);
    other.hasResource('AWS::KMS::Key', { DeletionPolicy: 'Delete' });
  });

  it('may be used by the functions that call WeChat to read, by the rotation to read and write, and by no other function', () => {
    const users = Object.values(resourcesOf(full, 'AWS::IAM::Policy')).flatMap(({ Properties: policy }) => {
      const { Statement } = policy.PolicyDocument as { Statement: { Action: string | string[] }[] };
      const actions = Statement.flatMap(({ Action }) => Action).filter((action) => action.startsWith('kms:'));
      return actions.map((action) => `${(policy.Roles as { Ref: string }[])[0]?.Ref.slice(0, -8)} ${action}`);
    });

    expect([...new Set(users)].sort()).toEqual([
      'AccountRole kms:Decrypt',
      'LoginRole kms:Decrypt',
      'RotationRole kms:Decrypt',
      'RotationRole kms:GenerateDataKey',
    ]);
  });

  it('encrypts the users table too, for whoever may use the table, and through DynamoDB alone', () => {
    const [key] = Object.keys(resourcesOf(full, 'AWS::KMS::Key'));
    full.hasResourceProperties('AWS::DynamoDB::GlobalTable', {
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
      Replicas: [Match.objectLike({ SSESpecification: { KMSMasterKeyId: { 'Fn::GetAtt': [key, 'Arn'] } } })],
    });
    full.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Principal: { AWS: '*' },
            Action: Match.not(Match.arrayWith(['kms:*'])),
            Condition: {
              StringEquals: { 'kms:CallerAccount': { Ref: 'AWS::AccountId' } },
              StringLike: { 'kms:ViaService': 'dynamodb.*.amazonaws.com*' },
            },
          }),
        ]),
      },
    });
    expect(JSON.stringify(resourcesOf(bare, 'AWS::DynamoDB::GlobalTable'))).not.toContain('SSESpecification');
  });
});

describe('versions', () => {
  it('stand behind an alias, which is what the API and the other teams call', () => {
    const called = [
      ...Object.values(resourcesOf(full, 'AWS::ApiGateway::Method')).map(
        ({ Properties }) => (Properties.Integration as { Uri?: unknown }).Uri,
      ),
      ...Object.values(resourcesOf(full, 'AWS::ApiGateway::Authorizer')).map(
        ({ Properties }) => Properties.AuthorizerUri,
      ),
      ...Object.values(resourcesOf(full, 'AWS::Lambda::Permission'))
        .filter(({ Properties }) => Properties.Principal === 'apigateway.amazonaws.com')
        .map(({ Properties }) => Properties.FunctionName),
    ].map((reference) => JSON.stringify(reference) ?? '');
    const functions = called.filter((reference) =>
      /(Login|Member|Authorizer)(Function|Live)/.test(reference),
    );

    expect(functions.length).toBeGreaterThan(10);
    for (const reference of functions) expect(reference).toMatch(/"(Login|Member|Authorizer)Live/);
  });

  it('are kept, so that there is one to go back to, unless they were taken back themselves', () => {
    full.allResources('AWS::Lambda::Version', {
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
    });
    full.resourceCountIs('AWS::Lambda::Version', 4);
  });

  it('are moved to by CodeDeploy where the stage wants it, and taken back when an alarm of ours fires', () => {
    const alarms = resourcesOf(full, 'AWS::CloudWatch::Alarm');
    const groups = Object.values(resourcesOf(full, 'AWS::CodeDeploy::DeploymentGroup'));

    full.allResources('AWS::Lambda::Alias', {
      UpdatePolicy: { CodeDeployLambdaAliasUpdate: Match.anyValue() },
    });
    expect(groups).toHaveLength(4);
    for (const { Properties: group } of groups) {
      const { Alarms, Enabled } = group.AlarmConfiguration as {
        Alarms: { Name: { Ref: string } }[];
        Enabled: boolean;
      };
      const names = Alarms.map(({ Name }) => String(alarms[Name.Ref]?.Properties.AlarmName));
      expect(names).toEqual(
        [
          'ServerErrors',
          'AuthorizerFailures',
          'InternalErrors',
          'Unavailable',
          'LoginFunctionErrors',
          'MemberFunctionErrors',
          'AccountFunctionErrors',
        ].map((name) => `wechat-login-prod-${name}`),
      );
      expect(Enabled).toBe(true);
      expect(group).toMatchObject({
        DeploymentConfigName: 'CodeDeployDefault.LambdaCanary10Percent5Minutes',
        AutoRollbackConfiguration: {
          Enabled: true,
          Events: ['DEPLOYMENT_FAILURE', 'DEPLOYMENT_STOP_ON_ALARM'],
        },
      });
    }
    const [permissions] = Object.entries(resourcesOf(full, 'AWS::IAM::Policy')).filter(([, policy]) =>
      JSON.stringify(policy).includes('lambda:UpdateAlias'),
    );
    full.allResources('AWS::CodeDeploy::DeploymentGroup', { DependsOn: Match.arrayWith([permissions?.[0]]) });
    bare.resourceCountIs('AWS::CodeDeploy::DeploymentGroup', 0);
    bare.resourceCountIs('AWS::Lambda::Alias', 4);
  });
});

describe('the settings of functions', () => {
  it('reserve concurrency for the functions they name', () => {
    const reserved = Object.entries(resourcesOf(full, 'AWS::Lambda::Function')).map(
      ([id, { Properties }]) => [id.replace(/Function.*/, ''), Properties.ReservedConcurrentExecutions],
    );

    expect(Object.fromEntries(reserved)).toEqual({
      Login: 50,
      Authorizer: 100,
      Member: undefined,
      Rotation: undefined,
    });
  });

  it('keep environments for the authorizer in production, and take none from a stage that is tried out', () => {
    for (const stage of stageNames)
      expect(settingsFor(stage).reservedConcurrency, stage).toEqual(
        stage.startsWith('prod') ? { authorizer: 100 } : {},
      );
  });

  it('keep as many environments started as a stage pays for, on the alias that CodeDeploy moves', () => {
    const aliases = Object.entries(resourcesOf(full, 'AWS::Lambda::Alias')).map(([id, { Properties }]) => [
      id.replace(/Live.*/, ''),
      (Properties.ProvisionedConcurrencyConfig as object | undefined) ?? null,
    ]);

    expect(Object.fromEntries(aliases)).toEqual({
      Login: { ProvisionedConcurrentExecutions: 2 },
      Member: null,
      Account: null,
      Authorizer: { ProvisionedConcurrentExecutions: 5 },
    });
    // It waits for them before it moves the alias.
    expect(JSON.stringify(resourcesOf(full, 'AWS::IAM::Policy'))).toContain(
      'lambda:GetProvisionedConcurrencyConfig',
    );
    full.hasResourceProperties('AWS::Lambda::Function', { MemorySize: 2048 });
    full.hasResourceProperties('AWS::Lambda::Function', { MemorySize: 1024 });
  });

  it('choose the instruction set and tracing for all of them', () => {
    for (const { Properties } of Object.values(resourcesOf(other, 'AWS::Lambda::Function')))
      expect(Properties).toMatchObject({ Architectures: ['x86_64'] });
    expect(JSON.stringify(other.toJSON())).not.toContain('xray:');
    full.allResourcesProperties('AWS::Lambda::Function', { TracingConfig: { Mode: 'Active' } });
    full.hasResourceProperties('AWS::ApiGateway::Stage', { TracingEnabled: true });
  });

  it('choose what the China regions have', () => {
    expect(settingsFor('prod-cn')).toMatchObject({ tracing: false, architecture: 'x86_64' });
  });

  it('keep every log for as long as the stage says, and in production after the stack', () => {
    full.resourceCountIs('AWS::Logs::LogGroup', 6);
    full.allResources('AWS::Logs::LogGroup', {
      DeletionPolicy: 'Retain',
      Properties: { RetentionInDays: 90 },
    });
    synthesize('dev').allResources('AWS::Logs::LogGroup', { DeletionPolicy: 'Delete' });
  });
});

describe('a monthly budget', () => {
  it('tells those who get notices when the account is forecast to cost more, and when it has', () => {
    const { Budget, NotificationsWithSubscribers } = only(full, 'AWS::Budgets::Budget').properties;

    expect(Budget).toEqual({
      BudgetType: 'COST',
      TimeUnit: 'MONTHLY',
      BudgetLimit: { Amount: 500, Unit: 'USD' },
    });
    expect(NotificationsWithSubscribers).toEqual(
      ['FORECASTED', 'ACTUAL'].map((NotificationType) => ({
        Notification: {
          NotificationType,
          ComparisonOperator: 'GREATER_THAN',
          ThresholdType: 'PERCENTAGE',
          Threshold: 100,
        },
        Subscribers: [{ SubscriptionType: 'EMAIL', Address: 'day@example.com' }],
      })),
    );
    synthesize('prod').resourceCountIs('AWS::Budgets::Budget', 0);
  });

  it('is refused where nobody would be told', () => {
    const monthlyBudget = { amount: 500, currency: 'USD' };

    expect(() => settingsFor('prod', { monthlyBudget })).toThrow(
      /setting 'monthlyBudget' .* needs 1 to 10 addresses in alarmEmails.notice/,
    );
  });
});

describe('roles', () => {
  it('are assumed for this account only, by services that are documented to say whom they act for', () => {
    const trust = Object.values(resourcesOf(full, 'AWS::IAM::Role')).map(({ Properties }) => {
      const { Statement } = Properties.AssumeRolePolicyDocument as {
        Statement: { Principal: { Service: string }; Condition?: object }[];
      };
      return Statement.map(({ Principal, Condition }) => [Principal.Service, Condition] as const);
    });
    const conditionOf = new Map(trust.flat());

    expect([...conditionOf.keys()].sort()).toEqual([
      'apigateway.amazonaws.com',
      'codedeploy.amazonaws.com',
      'lambda.amazonaws.com',
    ]);
    expect(conditionOf.get('codedeploy.amazonaws.com')).toEqual({
      StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
    });
  });
});

describe('fixed egress addresses', () => {
  it.each([
    [different.fixedEgressAddresses, () => other],
    [everything.fixedEgressAddresses, () => full],
  ] as const)('%i: as many NAT gateways, each with an address of its own that is printed', (count, made) => {
    const template = made();

    template.resourceCountIs('AWS::EC2::EIP', count);
    template.resourceCountIs('AWS::EC2::NatGateway', count);
    template.hasOutput('EgressAddresses', {
      Value:
        count === 1
          ? { 'Fn::GetAtt': [Match.stringLikeRegexp('^EgressAddress1'), 'PublicIp'] }
          : { 'Fn::Join': [',', Match.anyValue()] },
    });
  });

  it('are for the functions that call WeChat; what goes to DynamoDB does not pass them', () => {
    const inside = Object.entries(resourcesOf(full, 'AWS::Lambda::Function')).filter(
      ([, { Properties }]) => Properties.VpcConfig !== undefined,
    );

    expect(inside.map(([id]) => id.replace(/Function.*/, ''))).toEqual(['Login', 'Account']);
    full.hasResourceProperties('AWS::EC2::VPCEndpoint', {
      VpcEndpointType: 'Gateway',
      ServiceName: { 'Fn::Join': ['', Match.arrayWith([Match.stringLikeRegexp('dynamodb')])] },
    });
  });

  it('let nothing in, and out by https only', () => {
    full.hasResourceProperties('AWS::EC2::SecurityGroup', {
      SecurityGroupIngress: Match.absent(),
      SecurityGroupEgress: [Match.objectLike({ FromPort: 443, ToPort: 443, IpProtocol: 'tcp' })],
    });
  });

  it('let Lambda make its interfaces and remove them before the network goes, and no code of ours do either', () => {
    const policies = Object.entries(resourcesOf(full, 'AWS::IAM::Policy')).filter(([, policy]) =>
      JSON.stringify(policy).includes('ec2:DeleteNetworkInterface'),
    );
    const of = (effect: string) =>
      policies.filter(([, policy]) => JSON.stringify(policy).includes(`"Effect":"${effect}"`));
    const [[allowed, allowance] = [], [denied, denial] = []] = [of('Allow')[0], of('Deny')[0]];
    const actionsOf = (policy: Resource | undefined) =>
      JSON.stringify(policy).match(/"ec2:\w+"/g) ?? expect.unreachable();
    const loginFunction = Object.keys(resourcesOf(full, 'AWS::Lambda::Function')).find((id) =>
      id.startsWith('Login'),
    );

    expect(policies.map(([id]) => id).sort()).toEqual([allowed, denied].sort());
    expect(actionsOf(denial)).toEqual(actionsOf(allowance));
    full.hasResource('AWS::Lambda::Function', {
      Properties: { VpcConfig: Match.anyValue() },
      DependsOn: Match.arrayWith([allowed]),
    });
    full.hasResource('AWS::EC2::SecurityGroup', { DependsOn: [allowed] });
    expect(denial?.Properties.PolicyDocument).toMatchObject({
      Statement: [
        {
          Condition: {
            ArnEquals: {
              'lambda:SourceFunctionArn': [
                { 'Fn::GetAtt': [loginFunction, 'Arn'] },
                { 'Fn::GetAtt': [expect.stringMatching(/^AccountFunction/), 'Arn'] },
              ],
            },
          },
        },
      ],
    });
  });

  it('cost nothing where they are not wanted', () => {
    expect(Object.keys(bare.toJSON().Resources).filter((id) => id.startsWith('Egress'))).toEqual([]);
  });
});

describe('a custom domain', () => {
  it('is served at its root with its certificate, is the issuer, and says where its DNS record points', () => {
    full.hasResourceProperties('AWS::ApiGateway::DomainName', {
      DomainName: 'login.example.com',
      RegionalCertificateArn: everything.customDomain.certificateArn,
      EndpointConfiguration: { Types: ['REGIONAL'] },
      SecurityPolicy: 'TLS_1_2',
    });
    full.hasResourceProperties('AWS::ApiGateway::BasePathMapping', {
      BasePath: Match.absent(),
      Stage: { Ref: Match.stringLikeRegexp('DeploymentStage') },
    });
    expect(Object.values(full.toJSON().Rules)).toContainEqual({
      Assertions: [
        expect.objectContaining({ Assert: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'eu-west-1'] } }),
      ],
    });
    full.hasOutput('Issuer', { Value: 'https://login.example.com' });
    full.hasOutput('JwksUrl', { Value: 'https://login.example.com/.well-known/jwks.json' });
    full.hasOutput('DomainTarget', { Value: { 'Fn::GetAtt': [Match.anyValue(), 'RegionalDomainName'] } });
    expect(Object.keys(bare.findOutputs('*'))).not.toContain('DomainTarget');
  });
});
