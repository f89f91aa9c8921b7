import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
  TagResourceCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createAccessControl } from '../../src/iam/access-control.ts';
import type { Json, JsonObject } from '../../src/json.ts';
import {
  type LocalSecretsManager,
  type RotationStep,
  type SecretsManagerOptions,
  startSecretsManager,
} from '../../src/secrets-manager/server.ts';
import { readSecrets } from '../../src/secrets-manager/template-secrets.ts';
import { createResolver, type Resolver } from '../../src/template/intrinsics.ts';
import { lambda, type Resources, template } from '../fixtures/assembly.ts';
import { localIdentity } from '../fixtures/table.ts';

const arn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:key-ring-AbCdEf';
const token = (n: number) => `${n}`.padStart(32, '0');

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function start(options: Partial<SecretsManagerOptions> = {}) {
  const server: LocalSecretsManager = await startSecretsManager({
    secrets: [{ arn, name: 'key-ring', value: 'first' }],
    ...options,
  });
  const client = new SecretsManagerClient({ ...localIdentity, endpoint: server.endpoint, maxAttempts: 1 });
  closing.push(async () => {
    client.destroy();
    await server.close();
  });
  const value = async (select: { VersionId?: string; VersionStage?: string } = {}) =>
    (await client.send(new GetSecretValueCommand({ SecretId: arn, ...select }))).SecretString;
  const put = (n: number, SecretString: string, ...VersionStages: string[]) =>
    client.send(
      new PutSecretValueCommand({
        SecretId: arn,
        ClientRequestToken: token(n),
        SecretString,
        ...(VersionStages.length === 0 ? {} : { VersionStages }),
      }),
    );
  const stages = async () =>
    (await client.send(new DescribeSecretCommand({ SecretId: arn }))).VersionIdsToStages ?? {};
  return { server, client, value, put, stages };
}

const allow = (Action: string, Resource: Json = arn, more: JsonObject = {}): JsonObject => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...more,
});

/** The emulated service, and a client of the function `Reader`, whose role has these statements. */
async function startWithReader(
  statements: readonly JsonObject[],
  {
    resources = {},
    keyArn,
  }: { resources?: Resources; keyArn?: (resolver: Resolver) => Json | undefined } = {},
) {
  const resolver = createResolver(
    template({
      ReaderRole: { Type: 'AWS::IAM::Role' },
      ReaderPolicy: {
        Type: 'AWS::IAM::Policy',
        Properties: { PolicyDocument: { Statement: statements }, Roles: [{ Ref: 'ReaderRole' }] },
      },
      Reader: lambda('Reader', { Role: { 'Fn::GetAtt': ['ReaderRole', 'Arn'] } }),
      ...resources,
    }),
  );
  const started = await start({
    secrets: [{ arn, name: 'key-ring', value: 'first', keyArn: keyArn && String(keyArn(resolver)) }],
    access: createAccessControl(resolver),
  });
  const reader = new SecretsManagerClient({
    endpoint: started.server.endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'Reader', secretAccessKey: 'local' },
  });
  closing.push(async () => reader.destroy());
  return { ...started, reader };
}

describe('reading', () => {
  it('returns the value a secret is born with, by ARN and by name', async () => {
    const { client, value } = await start();

    expect(await value()).toBe('first');
    expect((await client.send(new GetSecretValueCommand({ SecretId: 'key-ring' }))).ARN).toBe(arn);
  });

  it('tells what does not exist as the service does', async () => {
    const { client, value } = await start();
    const unknown = new GetSecretValueCommand({ SecretId: 'unknown' });

    await expect(client.send(unknown)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(value({ VersionId: token(9) })).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(value({ VersionStage: 'AWSPENDING' })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  it('denies what the role of a caller does not allow, naming the action, and changes nothing', async () => {
    const { reader, value } = await startWithReader([allow('secretsmanager:GetSecretValue')]);

    expect((await reader.send(new GetSecretValueCommand({ SecretId: 'key-ring' }))).SecretString).toBe(
      'first',
    );
    await expect(
      reader.send(new PutSecretValueCommand({ SecretId: arn, SecretString: 'second' })),
    ).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining(`to perform: secretsmanager:PutSecretValue on resource: ${arn}`),
    });
    expect(await value()).toBe('first');
  });

  it('tells IAM which version a request names, and nothing where it names none', async () => {
    const { reader } = await startWithReader([
      allow('secretsmanager:GetSecretValue', arn, {
        Condition: {
          StringEqualsIfExists: { 'secretsmanager:VersionStage': 'AWSCURRENT' },
          Null: { 'secretsmanager:VersionId': 'true' },
        },
      }),
    ]);
    const read = async (version: object) =>
      (await reader.send(new GetSecretValueCommand({ SecretId: arn, ...version }))).SecretString;

    expect(await read({})).toBe('first');
    expect(await read({ VersionStage: 'AWSCURRENT' })).toBe('first');
    for (const other of [
      { VersionStage: 'AWSPREVIOUS' },
      { VersionStage: 'AWSPENDING' },
      { VersionId: token(1) },
      { VersionId: token(1), VersionStage: 'AWSCURRENT' },
    ])
      await expect(read(other)).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });

  it('refuses an operation it does not know by its name', async () => {
    const { client } = await start();

    await expect(client.send(new ListSecretsCommand({}))).rejects.toThrow('ListSecrets');
  });
});

describe('a secret that is encrypted with a key of its own', () => {
  const key: Json = { 'Fn::GetAtt': ['Key', 'Arn'] };
  const via = (service: string): JsonObject => ({
    Condition: { StringEquals: { 'kms:ViaService': `${service}.us-east-1.amazonaws.com` } },
  });
  const startWithKey = (statements: readonly JsonObject[], keyProperties: JsonObject = {}) =>
    startWithReader([allow('secretsmanager:*'), ...statements], {
      resources: { Key: { Type: 'AWS::KMS::Key', Properties: keyProperties } },
      keyArn: (resolver) => resolver.names('Key').attributes.Arn,
    });
  const get = new GetSecretValueCommand({ SecretId: arn });
  const put = new PutSecretValueCommand({ SecretId: arn, SecretString: 'second' });
  const denied = (action: string, why: string) => ({
    name: 'AccessDeniedException',
    message: expect.stringMatching(
      new RegExp(`not authorized to perform: ${action} on resource: arn:aws:kms:\\S+ .*${why}`),
    ),
  });

  it.each<[string, JsonObject]>([
    ['by itself', {}],
    ['on behalf of Secrets Manager', via('secretsmanager')],
  ])('is read and written by a role that may use the key %s', async (_, condition) => {
    const { reader, value } = await startWithKey([
      allow('kms:Decrypt', key, condition),
      allow('kms:GenerateDataKey', key, condition),
    ]);

    expect((await reader.send(get)).SecretString).toBe('first');
    await reader.send(put);
    expect(await value()).toBe('second');
  });

  it('is neither read nor written by a role that may not use the key, and the error names the action', async () => {
    const none = await startWithKey([]);
    const decrypting = await startWithKey([allow('kms:Decrypt', key)]);
    const generating = await startWithKey([allow('kms:GenerateDataKey', key)]);
    const identity = 'no identity-based policy allows';

    await expect(none.reader.send(get)).rejects.toMatchObject(denied('kms:Decrypt', identity));
    await expect(none.reader.send(put)).rejects.toMatchObject(denied('kms:GenerateDataKey', identity));
    await expect(decrypting.reader.send(put)).rejects.toMatchObject(denied('kms:GenerateDataKey', identity));
    await expect(generating.reader.send(put)).rejects.toMatchObject(denied('kms:Decrypt', identity));
    expect(await generating.value()).toBe('first');
  });

  it('is not read by a role that may use the key on behalf of another service only', async () => {
    const { reader } = await startWithKey([allow('kms:Decrypt', key, via('s3'))]);

    await expect(reader.send(get)).rejects.toMatchObject(denied('kms:Decrypt', 'no identity-based policy'));
  });

  it('is read only as the policy of the key allows it too', async () => {
    const policyFor = (principal: string, more: JsonObject = {}): JsonObject => ({
      KeyPolicy: {
        Version: '2012-10-17',
        Statement: [
          allow('kms:*', '*', { Principal: { AWS: `arn:aws:iam::000000000000:${principal}` }, ...more }),
        ],
      },
    });
    const account = await startWithKey([allow('kms:Decrypt', key)], policyFor('root', via('secretsmanager')));
    const elsewhere = await startWithKey([allow('kms:Decrypt', key)], policyFor('root', via('s3')));
    const other = await startWithKey([allow('kms:Decrypt', key)], policyFor('role/other'));

    expect((await account.reader.send(get)).SecretString).toBe('first');
    for (const { reader } of [elsewhere, other])
      await expect(reader.send(get)).rejects.toMatchObject(denied('kms:Decrypt', 'no resource-based policy'));
  });

  it('is described by a role that may not use the key', async () => {
    const { reader } = await startWithKey([]);

    expect((await reader.send(new DescribeSecretCommand({ SecretId: arn }))).ARN).toBe(arn);
  });

  it.each<[string, Json]>([
    ['its ARN', key],
    ['its id', { Ref: 'Key' }],
  ])('names the key of the template by %s', (_, KmsKeyId) => {
    const resolver = createResolver(
      template({
        Key: { Type: 'AWS::KMS::Key' },
        Secret: { Type: 'AWS::SecretsManager::Secret', Properties: { KmsKeyId } },
        Other: { Type: 'AWS::SecretsManager::Secret' },
      }),
    );

    expect(readSecrets(resolver).map(({ keyArn }) => keyArn)).toEqual([
      resolver.names('Key').attributes.Arn,
      undefined,
    ]);
  });

  it('cannot name a key that is not in the template', () => {
    const Secret = { Type: 'AWS::SecretsManager::Secret', Properties: { KmsKeyId: 'alias/theirs' } };

    expect(() => readSecrets(createResolver(template({ Secret })))).toThrow(
      'Secret.KmsKeyId: a key that is not in the template is not supported by the local run.',
    );
  });
});

describe('writing', () => {
  it('makes a new version current and the old one previous', async () => {
    const { put, value } = await start();

    await put(1, 'second');

    expect(await value()).toBe('second');
    expect(await value({ VersionStage: 'AWSPREVIOUS' })).toBe('first');
  });

  it('leaves the current version alone when the new one is pending', async () => {
    const { put, value } = await start();

    await put(1, 'second', 'AWSPENDING');

    expect(await value()).toBe('first');
    expect(await value({ VersionStage: 'AWSPENDING' })).toBe('second');
    expect(await value({ VersionId: token(1) })).toBe('second');
    await expect(value({ VersionId: token(1), VersionStage: 'AWSCURRENT' })).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
  });

  it('takes the same value for the same version again, and no other', async () => {
    const { put, value } = await start();
    await put(1, 'second', 'AWSPENDING');

    await put(1, 'second', 'AWSPENDING');
    const other = put(1, 'third', 'AWSPENDING');

    await expect(other).rejects.toMatchObject({ name: 'ResourceExistsException' });
    expect(await value({ VersionId: token(1) })).toBe('second');
  });

  it('refuses a token of the wrong length', async () => {
    const { client } = await start();
    const short = new PutSecretValueCommand({ SecretId: arn, ClientRequestToken: 'x', SecretString: 'x' });

    await expect(client.send(short)).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });

  it('takes a label away only from the version that has it', async () => {
    const { client, put, stages } = await start();
    await put(1, 'second', 'AWSPENDING');
    const takeAway = () =>
      client.send(
        new UpdateSecretVersionStageCommand({
          SecretId: arn,
          VersionStage: 'AWSPENDING',
          RemoveFromVersionId: token(1),
        }),
      );

    await takeAway();

    expect(Object.values(await stages()).flat()).not.toContain('AWSPENDING');
    await expect(takeAway()).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });

  it('moves a label only from the version that the caller knows to hold it', async () => {
    const { client, put, value, stages } = await start();
    await put(1, 'second', 'AWSPENDING');
    const [born = ''] = Object.keys(await stages());
    const move = (RemoveFromVersionId?: string) =>
      client.send(
        new UpdateSecretVersionStageCommand({
          SecretId: arn,
          VersionStage: 'AWSCURRENT',
          MoveToVersionId: token(1),
          ...(RemoveFromVersionId === undefined ? {} : { RemoveFromVersionId }),
        }),
      );

    await expect(move()).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await expect(move(token(1))).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await move(born);

    expect(await value()).toBe('second');
    expect((await stages())[born]).toEqual(['AWSPREVIOUS']);
  });
});

describe('rotation', () => {
  it('calls the four steps in order with one token, whose version is pending from the start', async () => {
    const steps: RotationStep[] = [];
    const seen: (string[] | undefined)[] = [];
    const { server, stages } = await start({
      invokeRotation: async (step) => {
        steps.push(step);
        seen.push((await stages())[step.ClientRequestToken]);
      },
    });

    await server.rotate(arn);

    expect(steps.map(({ Step }) => Step)).toEqual([
      'createSecret',
      'setSecret',
      'testSecret',
      'finishSecret',
    ]);
    expect(new Set(steps.map(({ ClientRequestToken }) => ClientRequestToken)).size).toBe(1);
    expect(steps[0]?.SecretId).toBe(arn);
    expect(seen).toEqual(Array(4).fill(['AWSPENDING']));
  });

  it('repeats a rotation that failed with the same token, and says so', async () => {
    const tokens: string[] = [];
    let fail = true;
    const { server, client } = await start({
      invokeRotation: async ({ ClientRequestToken }) => {
        tokens.push(ClientRequestToken);
        if (fail) throw new Error('broken');
      },
    });
    await expect(server.rotate(arn)).rejects.toThrow('broken');
    fail = false;

    const again = client.send(new RotateSecretCommand({ SecretId: arn, ClientRequestToken: token(2) }));
    await expect(again).rejects.toMatchObject({ name: 'InvalidRequestException' });
    await vi.waitFor(() => expect(tokens).toHaveLength(5), { timeout: 60_000 });

    expect(new Set(tokens).size).toBe(1);
  });

  it('responds to RotateSecret before the steps have run', async () => {
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { client, server } = await start({ invokeRotation: () => held });

    const { VersionId } = await client.send(new RotateSecretCommand({ SecretId: arn }));
    release();
    await server.rotate(arn);

    expect(VersionId).toMatch(/^[\w-]{36}$/);
  });

  it('is refused where there is no rotation function', async () => {
    const { client, server, stages } = await start();

    const rotate = client.send(new RotateSecretCommand({ SecretId: arn }));

    await expect(rotate).rejects.toMatchObject({ name: 'InvalidRequestException' });
    await expect(server.rotate(arn)).rejects.toMatchObject({ name: 'InvalidRequestException' });
    expect(Object.keys(await stages())).toHaveLength(1);
  });
});

describe('the data file', () => {
  it('is named, and not quoted, when it is damaged', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'secrets-'));
    const dataFile = join(folder, 'secrets.json');
    await writeFile(dataFile, '["a secret');

    const starting = startSecretsManager({ secrets: [], dataFile });

    await expect(starting).rejects.toThrow(`${dataFile} is damaged: `);
    await rm(folder, { recursive: true });
  });

  it('keeps what was written for its owner only, and follows the given value of everything else', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'secrets-'));
    const dataFile = join(folder, 'secrets.json');
    const seeds = (value: string) => [
      { arn, name: 'key-ring', value },
      { arn: `${arn}-2`, name: 'wechat', value },
    ];
    const before = await start({ secrets: seeds('old seed'), dataFile });
    await before.put(1, 'a key ring');

    const after = await start({ secrets: seeds('new seed'), dataFile });

    expect(await after.value()).toBe('a key ring');
    expect((await after.client.send(new GetSecretValueCommand({ SecretId: 'wechat' }))).SecretString).toBe(
      'new seed',
    );
    expect((await stat(dataFile)).mode & 0o777).toBe(0o600);
    await rm(folder, { recursive: true });
  });
});

describe('tags', () => {
  it('are kept, replaced by key, and described', async () => {
    const { client } = await start();
    const tag = (Key: string, Value: string) =>
      client.send(new TagResourceCommand({ SecretId: arn, Tags: [{ Key, Value }] }));
    await tag('drop-key:a_-', 'first');
    await tag('drop-key:b', 'now');
    await tag('drop-key:a_-', 'second');

    const { Tags } = await client.send(new DescribeSecretCommand({ SecretId: arn }));

    expect(Tags).toEqual([
      { Key: 'drop-key:a_-', Value: 'second' },
      { Key: 'drop-key:b', Value: 'now' },
    ]);
    await expect(tag('', 'x')).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await expect(tag('<key>', 'x')).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });
});
