import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type LocalStackOptions, startLocalStack } from '../../local/run.ts';
import { synthesize } from '../../local/synthesize.ts';
import {
  apiWith,
  lambda,
  permission,
  proxyTo,
  type Resources,
  type Sources,
  writeAssembly,
} from '../fixtures/assembly.ts';

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

  test('rotates at once what the template rotates, and again when asked', async () => {
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

describe('synthesizing', () => {
  test('shows what the app said when it failed, without stack frames', async () => {
    const failing = synthesize({ stage: 'nowhere' });

    await expect(failing).rejects.toThrow(/The stack cannot be synthesized:\n(.|\n)*nowhere/);
    await expect(failing).rejects.not.toThrow(/\n\s+at /);
  });
});
