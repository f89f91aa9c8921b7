import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Json } from '../src/json.ts';
import { type LocalStackOptions, startLocalStack } from '../src/stack.ts';
import type { Resource } from '../src/template/assembly.ts';
import { synthesize } from '../src/template/synthesize.ts';
import { apiV2, guarded, openWebSocket, requestAuthorizer } from './fixtures/apis-v2.ts';
import {
  apiWith,
  lambda,
  permission,
  proxyTo,
  type Resources,
  type Sources,
  writeAssembly,
} from './fixtures/assembly.ts';

const table = {
  Type: 'AWS::DynamoDB::GlobalTable',
  Properties: {
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    BillingMode: 'PAY_PER_REQUEST',
    Replicas: [{ Region: { Ref: 'AWS::Region' } }],
  },
};

const resources: Resources = {
  ...apiWith({ 'GET /env': { Integration: proxyTo('Fn') } }),
  Users: table,
  Keys: { Type: 'AWS::SecretsManager::Secret', Properties: { GenerateSecretString: { PasswordLength: 20 } } },
  Apps: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'apps', SecretString: '{}' } },
  Schedule: {
    Type: 'AWS::SecretsManager::RotationSchedule',
    Properties: { SecretId: { Ref: 'Keys' }, RotationLambdaARN: { 'Fn::GetAtt': ['Rotate', 'Arn'] } },
  },
  Fn: lambda('Fn', { Environment: { Variables: { TABLE: { Ref: 'Users' }, KEYS: { Ref: 'Keys' } } } }),
  FnPermission: permission('Fn', 'Api', '*/GET/env'),
  Rotate: lambda('Rotate'),
};

const sources: Sources = {
  Fn: 'export const handler = async () => ({ body: JSON.stringify(process.env) });',
  Rotate: 'export const handler = async ({ Step, SecretId }) => console.log(Step + " " + SecretId);',
};

const start = async (options: Partial<LocalStackOptions> = {}) => {
  const assembly = writeAssembly(resources, sources);
  const lines: string[] = [];
  const steps: string[] = [];
  const stack = await startLocalStack({
    assembly: () => assembly,
    onLog: (_, line) => lines.push(line),
    onStep: (name) => steps.push(name),
    ...options,
  });
  onTestFinished(() => stack.close());
  return { stack, lines, steps };
};

describe('a local stack', () => {
  test('has the tables and secrets of its template, and functions that find them', async () => {
    const { stack, steps } = await start({
      secretValue: ({ logicalId }) => (logicalId === 'Apps' ? '{"wx1":"filled in"}' : undefined),
    });
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const dynamodb = new DynamoDBClient({
      endpoint: stack.dynamodbEndpoint,
      region: 'us-east-1',
      credentials,
    });
    const secrets = new SecretsManagerClient({
      endpoint: stack.secretsManagerEndpoint,
      region: 'us-east-1',
      credentials,
    });
    const secret = async (id: string) =>
      (await secrets.send(new GetSecretValueCommand({ SecretId: id }))).SecretString;

    const environment = (await (await fetch(`${stack.url}/env`)).json()) as Record<string, string>;

    expect(environment.TABLE).toMatch(/^Demo-Users-/);
    expect((await dynamodb.send(new ListTablesCommand({}))).TableNames).toEqual([environment.TABLE]);
    expect(environment.AWS_ENDPOINT_URL_DYNAMODB).toBe(stack.dynamodbEndpoint);
    expect(await secret(environment.KEYS ?? '')).toMatch(/^\S{20}$/);
    expect(await secret('apps')).toBe('{"wx1":"filled in"}');
    expect(steps.toSorted()).toEqual(['database', 'functions', 'rotation', 'secrets', 'synth', 'tables']);
  });

  test('rotates at once what the template rotates, and again when told to', async () => {
    const { stack, lines } = await start();
    const arn = String(stack.resolver.names('Keys').ref);
    const round = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'].map((step) => `${step} ${arn}`);
    expect(lines).toEqual(round);

    await stack.rotate(arn);

    expect(lines).toEqual([...round, ...round]);
  });

  test('keeps its data between runs when told where', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'data-'));
    onTestFinished(() => rmSync(dataDir, { recursive: true }));
    const first = await start({ dataDir });
    await first.stack.close();

    const second = await start({ dataDir });

    expect((await fetch(`${second.stack.url}/env`)).status).toBe(200);
  });

  test('tells the assembly the address it will have', async () => {
    const assembly = writeAssembly(resources, sources);
    let told = '';

    const { stack } = await start({
      assembly: (url) => {
        told = url;
        return assembly;
      },
    });

    expect(told).toBe(stack.url);
  });

  test('that cannot start says why in one sentence and leaves nothing running', async () => {
    let url = '';
    const broken = writeAssembly({ ...resources, Queue: { Type: 'AWS::SQS::Queue' } }, sources);

    const starting = startLocalStack({
      assembly: (address) => {
        url = address;
        return broken;
      },
    });

    await expect(starting).rejects.toThrow(
      'Queue: resource type AWS::SQS::Queue is not supported by the local run.',
    );
    await expect(fetch(url)).rejects.toThrow();
  });
});

describe('a hardened stack', () => {
  const role = (
    service: string,
    statements: readonly Json[] = [],
    managed: readonly string[] = [],
  ): Resource => ({
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {
        Statement: [{ Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { Service: service } }],
      },
      ManagedPolicyArns: managed,
      Policies: [{ PolicyName: 'own', PolicyDocument: { Statement: statements } }],
    },
  });
  const allow = (Action: string, Resource: Json): Json => ({ Effect: 'Allow', Action, Resource });
  /** A function behind an alias, in a VPC, that may read a secret, and its key if told so. */
  const hardened = (mayDecrypt: boolean, permitted: Json = { Ref: 'Live' }): Resources => ({
    ...apiWith({ 'GET /secret': { Integration: proxyTo('Live', { Uri: aliasUri }) } }),
    Key: { Type: 'AWS::KMS::Key', Properties: { EnableKeyRotation: true } },
    Apps: {
      Type: 'AWS::SecretsManager::Secret',
      Properties: { SecretString: 'kept', KmsKeyId: { 'Fn::GetAtt': ['Key', 'Arn'] } },
    },
    LoginRole: role('lambda.amazonaws.com', [
      allow('secretsmanager:GetSecretValue', { Ref: 'Apps' }),
      ...(mayDecrypt ? [allow('kms:Decrypt', { 'Fn::GetAtt': ['Key', 'Arn'] })] : []),
    ]),
    Login: lambda('Login', {
      Role: { 'Fn::GetAtt': ['LoginRole', 'Arn'] },
      Environment: { Variables: { APPS: { Ref: 'Apps' } } },
      TracingConfig: { Mode: 'Active' },
      VpcConfig: {
        SecurityGroupIds: [{ 'Fn::GetAtt': ['Outgoing', 'GroupId'] }],
        SubnetIds: [{ Ref: 'Subnet' }],
      },
    }),
    Version: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: { Ref: 'Login' } } },
    Live: {
      Type: 'AWS::Lambda::Alias',
      Properties: {
        FunctionName: { Ref: 'Login' },
        FunctionVersion: { 'Fn::GetAtt': ['Version', 'Version'] },
        Name: 'live',
      },
    },
    LivePermission: {
      Type: 'AWS::Lambda::Permission',
      Properties: {
        Action: 'lambda:InvokeFunction',
        FunctionName: permitted,
        Principal: 'apigateway.amazonaws.com',
      },
    },
    Releases: { Type: 'AWS::CodeDeploy::Application', Properties: { ComputePlatform: 'Lambda' } },
    Deployer: role(
      'codedeploy.amazonaws.com',
      [],
      ['arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited'],
    ),
    Release: {
      Type: 'AWS::CodeDeploy::DeploymentGroup',
      Properties: {
        ApplicationName: { Ref: 'Releases' },
        ServiceRoleArn: { 'Fn::GetAtt': ['Deployer', 'Arn'] },
      },
    },
    LogWriter: role('apigateway.amazonaws.com', [allow('logs:PutLogEvents', '*')]),
    Account: {
      Type: 'AWS::ApiGateway::Account',
      Properties: { CloudWatchRoleArn: { 'Fn::GetAtt': ['LogWriter', 'Arn'] } },
    },
    AccessLogs: { Type: 'AWS::Logs::LogGroup' },
    Stage: {
      Type: 'AWS::ApiGateway::Stage',
      Properties: {
        RestApiId: { Ref: 'Api' },
        StageName: 'v1',
        DeploymentId: 'any',
        TracingEnabled: true,
        AccessLogSetting: { DestinationArn: { 'Fn::GetAtt': ['AccessLogs', 'Arn'] }, Format: '{}' },
        MethodSettings: [{ HttpMethod: '*', ResourcePath: '/*', ThrottlingRateLimit: 50 }],
      },
    },
    Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.0.0.0/16' } },
    Subnet: {
      Type: 'AWS::EC2::Subnet',
      Properties: {
        VpcId: { Ref: 'Vpc' },
        CidrBlock: '10.0.0.0/24',
        AvailabilityZone: { 'Fn::Select': [0, { 'Fn::GetAZs': '' }] },
      },
    },
    Outgoing: {
      Type: 'AWS::EC2::SecurityGroup',
      Properties: { VpcId: { Ref: 'Vpc' }, GroupDescription: 'out' },
    },
  });
  const aliasUri = {
    'Fn::Sub': `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\${Live}/invocations`,
  };
  const reader = `export const handler = async () => {
    const response = await fetch(process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER, {
      method: 'POST',
      headers: {
        'x-amz-target': 'secretsmanager.GetSecretValue',
        authorization: \`AWS4-HMAC-SHA256 Credential=\${process.env.AWS_ACCESS_KEY_ID}/20260101/\`,
      },
      body: JSON.stringify({ SecretId: process.env.APPS }),
    });
    return { body: await response.text() };
  };`;
  const startHardened = async (...how: Parameters<typeof hardened>) => {
    const assembly = writeAssembly(hardened(...how), { Login: reader });
    const faults: (string | undefined)[] = [];
    const { stack } = await start({
      assembly: () => assembly,
      onRequest: ({ fault }) => faults.push(fault),
    });
    const response = await fetch(`${stack.url}/secret`);
    return { stack, faults, status: response.status, body: (await response.json()) as object };
  };

  test('serves through the alias, and reports on the roles that something acts as', async () => {
    const { stack, body } = await startHardened(true);

    expect(body).toMatchObject({ SecretString: 'kept' });
    const { granted, used } = stack.accessReport();
    expect(granted).toEqual([
      expect.stringMatching(/^LoginRole: secretsmanager:GetSecretValue on /),
      expect.stringMatching(/^LoginRole: kms:Decrypt on arn:aws:kms:/),
    ]);
    expect(used).toEqual(granted);
  });

  test('keeps a secret from a function that may not use its key', async () => {
    const { body } = await startHardened(false);

    expect(body).toMatchObject({
      __type: 'AccessDeniedException',
      Message: expect.stringContaining('is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:'),
    });
  });

  test('does not serve through an alias when only the function itself may be invoked', async () => {
    const { status, faults } = await startHardened(true, { 'Fn::GetAtt': ['Login', 'Arn'] });

    expect(status).toBe(500);
    expect(faults).toEqual([expect.stringMatching(/No AWS::Lambda::Permission lets .*:live for /)]);
  });
});

describe('a stack beside another', () => {
  const ssm = (Name: string, Value: Json): Resource => ({
    Type: 'AWS::SSM::Parameter',
    Properties: { Name, Type: 'String', Value },
  });
  /** The first stack: a function that others may call, and where to find it. */
  const login: Resources = {
    ...resources,
    Gate: lambda('Gate'),
    GateArn: ssm('/login/authorizer-arn', { 'Fn::GetAtt': ['Gate', 'Arn'] }),
    Origin: ssm('/login/issuer', 'https://login.example'),
  };
  const gate = `export const handler = async (event) => {
    console.log(JSON.stringify(process.env));
    return { isAuthorized: true, context: { who: event.headers.authorization } };
  };`;
  /** The second: an API of each kind, whose authorizer is that function. */
  const orders = (more: Resources = {}): Resources => ({
    ...apiWith({ 'GET /rest': { Integration: proxyTo('Orders') } }),
    ...apiV2('HTTP', { 'GET /http': { to: 'Orders', route: guarded } }),
    ...apiV2('WEBSOCKET', { $connect: { to: 'Orders' } }),
    Orders: lambda('Orders', {
      Environment: { Variables: { ISSUER: { Ref: 'Issuer' }, COLOUR: { Ref: 'Colour' } } },
    }),
    OrdersRestPermission: permission('Orders', 'Api'),
    ...requestAuthorizer('Gate', 'Http', {
      AuthorizerUri: {
        'Fn::Sub': `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\${GateArn}/invocations`,
      },
    }),
    AuthPermission: {
      Type: 'AWS::Lambda::Permission',
      Properties: {
        Action: 'lambda:InvokeFunction',
        FunctionName: { Ref: 'GateArn' },
        Principal: 'apigateway.amazonaws.com',
        SourceArn: { 'Fn::Sub': `arn:aws:execute-api:us-east-1:000000000000:\${Http}/authorizers/\${Auth}` },
      },
    },
    ...more,
  });
  const parameters = {
    Parameters: {
      GateArn: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/login/authorizer-arn' },
      Issuer: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/login/issuer' },
      Colour: { Type: 'String' },
    },
  };
  const back =
    'export const handler = async (event) => ({ statusCode: 200, body: JSON.stringify({ env: process.env, authorizer: event.requestContext.authorizer }) });';
  const startBoth = async (more: Resources = {}, sections: object = parameters) => {
    const [first, second] = [
      writeAssembly(login, { ...sources, Gate: gate }),
      writeAssembly(orders(more), { Orders: back }, sections, 'Orders'),
    ];
    const { stack, lines } = await start({ assembly: () => first });
    const faults: (string | undefined)[] = [];
    const other = await startLocalStack({
      assembly: () => second,
      beside: stack,
      parameters: { Colour: 'red' },
      onRequest: ({ fault }) => faults.push(fault),
    });
    onTestFinished(() => other.close());
    const url = (protocol: string) => other.apis.find((api) => api.protocol === protocol)?.url ?? '';
    return { stack, other, lines, faults, url };
  };

  test('has APIs of its own, each on a port of its own', async () => {
    const { stack, other, url } = await startBoth();

    expect(other.apis.map(({ protocol }) => protocol)).toEqual(['REST', 'HTTP', 'WEBSOCKET']);
    expect(new Set([stack.url, ...other.apis.map((api) => api.url)]).size).toBe(4);
    expect(other.url).toBe(url('REST'));
    expect(url('WEBSOCKET')).toMatch(/^ws:\/\/127\.0\.0\.1:\d+$/);
    expect((await fetch(`${url('REST')}/rest`)).status).toBe(200);
    expect((await fetch(`${stack.url}/env`)).status).toBe(200);
    expect((await openWebSocket(url('WEBSOCKET'))).socket.readyState).toBe(1);
  });

  test("reads the first one's SSM parameters, and calls its function, which keeps its own environment", async () => {
    const { lines, url } = await startBoth();

    const response = await fetch(`${url('HTTP')}/http`, { headers: { authorization: 'anna' } });

    expect(await response.json()).toEqual({
      env: expect.objectContaining({ ISSUER: 'https://login.example', COLOUR: 'red' }),
      authorizer: { lambda: { who: 'anna' } },
    });
    expect(lines.at(-1)).not.toContain('ISSUER');
  });

  test('gets 500 from a function of the first one that nothing permits it to call', async () => {
    const { url, faults } = await startBoth({ AuthPermission: permission('Orders', 'Http') });

    const response = await fetch(`${url('HTTP')}/http`, { headers: { authorization: 'anna' } });

    expect([response.status, await response.json()]).toEqual([500, { message: 'Internal Server Error' }]);
    expect(faults).toEqual([expect.stringMatching(/No AWS::Lambda::Permission lets .*function:Demo-Gate-/)]);
  });

  test('cannot start when an SSM parameter is not there, or under the name of the first one', async () => {
    const Missing = { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/login/missing' };
    const sections = { Parameters: { ...parameters.Parameters, Issuer: Missing } };
    const { stack } = await start();
    const same = writeAssembly(resources, sources);

    await expect(startBoth({}, sections)).rejects.toThrow(
      'there is no SSM parameter /login/missing (parameter Issuer)',
    );
    await expect(startLocalStack({ assembly: () => same, beside: stack })).rejects.toThrow(
      'There is a stack named Demo in this account already.',
    );
  });
});

describe('synthesizing', () => {
  const app = fileURLToPath(new URL('fixtures/app', import.meta.url));

  test('shows what the app said when it failed, without stack frames', async () => {
    const failing = synthesize(app, { colour: 'beige' });

    await expect(failing).rejects.toThrow(/The stack cannot be synthesized:\n(.|\n)*The colour beige/);
    await expect(failing).rejects.not.toThrow(/\n\s+at /);
  });

  test('refuses an app that something else than node runs', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'app-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    writeFileSync(join(directory, 'cdk.json'), '{"app":"npx ts-node app.ts"}');

    await expect(synthesize(directory)).rejects.toThrow('cdk.json: the app must run with node');
  });
});
