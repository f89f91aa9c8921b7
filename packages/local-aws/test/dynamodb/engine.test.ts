import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Database, startDatabase } from '../../src/dynamodb/engine.ts';
import { createTable } from '../../src/dynamodb/table.ts';
import type { JsonObject } from '../../src/json.ts';
import { listenOnLoopback } from '../../src/loopback-server.ts';
import { localIdentity, tableProperties } from '../fixtures/table.ts';

const responds = async (endpoint: string): Promise<boolean> =>
  fetch(endpoint).then(
    () => true,
    () => false,
  );

const isGone = async (endpoint: string): Promise<void> => {
  while (await responds(endpoint)) await sleep(20);
};

/** A process of its own that starts the engine, runs some more code, and stays. */
async function startInProcess(code = '', options: { detached?: boolean } = {}) {
  const script = `
    const { startDatabase } = await import(${JSON.stringify(new URL('../../src/dynamodb/engine.ts', import.meta.url).href)});
    ${code}
    process.stdout.write((await startDatabase()).endpoint);
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    ...options,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    parent.kill('SIGKILL');
  });
  const [endpoint] = (await once(parent.stdout.setEncoding('utf8'), 'data')) as [string];
  return { parent, endpoint };
}

describe('startDatabase', () => {
  it('responds when it resolves and is gone when stop resolves', async () => {
    const database = await startDatabase();

    expect(await responds(database.endpoint)).toBe(true);
    await database.stop();

    expect(await responds(database.endpoint)).toBe(false);
  });

  it('starts several engines at once, each on a port of its own', async () => {
    const databases = await Promise.all(Array.from({ length: 5 }, () => startDatabase()));

    expect(new Set(databases.map((database) => database.endpoint)).size).toBe(5);
    await Promise.all(databases.map((database) => database.stop()));
  });

  it('keeps its data in the given file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'database-'));
    const dataFile = join(folder, 'data.sqlite');
    const first = await startDatabase({ dataFile });
    const writer = new DynamoDBClient({ endpoint: first.endpoint, ...localIdentity });
    await createTable(writer, 'kept', tableProperties);
    await writer.send(new PutItemCommand({ TableName: 'kept', Item: { pk: { S: 'a' }, v: { S: '值' } } }));
    await first.stop();

    const second = await startDatabase({ dataFile });
    const reader = new DynamoDBClient({ endpoint: second.endpoint, ...localIdentity });
    await createTable(reader, 'kept', tableProperties);
    const { Item } = await reader.send(new GetItemCommand({ TableName: 'kept', Key: { pk: { S: 'a' } } }));

    expect(Item?.v?.S).toBe('值');
    await second.stop();
    await rm(folder, { recursive: true });
  });

  it('says what the engine said when it cannot start', async () => {
    await expect(startDatabase({ dataFile: '/nowhere/at/all/data.sqlite' })).rejects.toThrow(
      /^The embedded DynamoDB ended: .+/,
    );
  });

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
    'leaves no engine behind when %s ends the process',
    async (signal) => {
      const { parent, endpoint } = await startInProcess();
      expect(await responds(endpoint)).toBe(true);

      parent.kill(signal);

      await isGone(endpoint);
    },
  );

  it('keeps the engine through a Ctrl-C, which reaches the whole process group, until the process ends', async () => {
    const { parent, endpoint } = await startInProcess(
      "process.on('SIGINT', () => process.stdout.write('!'));",
      {
        detached: true,
      },
    );

    // It has reached every process of the group when this returns.
    process.kill(-(parent.pid ?? 0), 'SIGINT');
    await once(parent.stdout, 'data');

    expect(await responds(endpoint)).toBe(true);
    parent.kill('SIGKILL');
    await isGone(endpoint);
  });

  it('says in one sentence what to do where there is no engine for the platform', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'without-engine-'));
    await cp(new URL('../../src/', import.meta.url), folder, { recursive: true });
    const { startDatabase: startWithoutEngine } = await import(join(folder, 'dynamodb/engine.ts'));

    await expect(startWithoutEngine()).rejects.toThrow(
      /^There is no embedded DynamoDB for this platform .*set DYNAMODB_ENDPOINT/,
    );
    await rm(folder, { recursive: true });
  });

  it('uses the DynamoDB at a given endpoint and leaves it running', async () => {
    const running = await startDatabase();

    const database = await startDatabase({ endpoint: running.endpoint });
    await database.stop();

    expect(database.endpoint).toBe(running.endpoint);
    expect(await responds(running.endpoint)).toBe(true);
    await running.stop();
  });

  it('says in one sentence that nothing responds at the given endpoint', async () => {
    const { url: endpoint, close } = await listenOnLoopback(createServer());
    await close();

    await expect(startDatabase({ endpoint })).rejects.toThrow(
      `No DynamoDB responds at DYNAMODB_ENDPOINT (${endpoint}).`,
    );
    await expect(startDatabase({ endpoint: 'localhost' })).rejects.toThrow('DYNAMODB_ENDPOINT is not a URL.');
  });
});

describe('createTable', () => {
  let database: Database;
  let client: DynamoDBClient;
  beforeAll(async () => {
    database = await startDatabase();
    client = new DynamoDBClient({ endpoint: database.endpoint, ...localIdentity });
  });
  afterAll(() => database.stop());

  it('creates keys, index, billing mode and TTL as the template says', async () => {
    await createTable(client, 'shaped', tableProperties);

    const { Table } = await client.send(new DescribeTableCommand({ TableName: 'shaped' }));
    const { TimeToLiveDescription } = await client.send(
      new DescribeTimeToLiveCommand({ TableName: 'shaped' }),
    );
    expect(Table?.KeySchema).toEqual(tableProperties.KeySchema);
    expect(Table?.GlobalSecondaryIndexes?.[0]).toMatchObject(tableProperties.GlobalSecondaryIndexes[0] ?? {});
    expect(Table?.BillingModeSummary?.BillingMode).toBe('PAY_PER_REQUEST');
    expect(TimeToLiveDescription).toEqual({ TimeToLiveStatus: 'ENABLED', AttributeName: 'expires_at' });
  });

  it('accepts a global table of one region, and properties that change no response', async () => {
    const properties: JsonObject = {
      ...tableProperties,
      Replicas: [
        {
          Region: 'us-east-1',
          DeletionProtectionEnabled: true,
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          GlobalSecondaryIndexes: [{ IndexName: 'by-owner' }],
          Tags: [],
        },
      ],
      SSESpecification: { SSEEnabled: true },
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      Tags: [],
    };

    await expect(createTable(client, 'global', properties)).resolves.toBeUndefined();
  });

  it('creates a table without index and TTL', async () => {
    const { GlobalSecondaryIndexes: _, TimeToLiveSpecification: __, ...rest } = tableProperties;
    const properties = {
      ...rest,
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    };

    await expect(createTable(client, 'plain', properties)).resolves.toBeUndefined();
  });

  it('accepts an existing table of the same shape, in any order, and refuses one of another', async () => {
    await createTable(client, 'existing', tableProperties);
    const reordered = {
      ...tableProperties,
      AttributeDefinitions: tableProperties.AttributeDefinitions.toReversed(),
    };
    const index = tableProperties.GlobalSecondaryIndexes[0];
    const others: JsonObject[] = [
      { GlobalSecondaryIndexes: [] },
      { GlobalSecondaryIndexes: [{ ...index, IndexName: 'other' }] },
      { GlobalSecondaryIndexes: [{ ...index, Projection: { ProjectionType: 'ALL' } }] },
      {
        GlobalSecondaryIndexes: [
          { ...index, Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['status'] } },
        ],
      },
      { KeySchema: [{ AttributeName: 'owner', KeyType: 'HASH' }] },
    ];

    await expect(createTable(client, 'existing', reordered)).resolves.toBeUndefined();
    for (const other of others)
      await expect(createTable(client, 'existing', { ...tableProperties, ...other })).rejects.toThrow(
        'Table existing exists with other keys or indexes than the template says',
      );
  });

  it('refuses by name what it does not know', async () => {
    const region = { Region: 'us-east-1' };
    const index = tableProperties.GlobalSecondaryIndexes[0];
    const hostile: [JsonObject, string][] = [
      [{ LocalSecondaryIndexes: [] }, 'LocalSecondaryIndexes'],
      [{ StreamSpecification: { StreamViewType: 'NEW_IMAGE' } }, 'StreamSpecification'],
      [{ TableName: 'other' }, 'TableName'],
      [{ NewIn2030: true }, 'NewIn2030'],
      [{ BillingMode: 'PROVISIONED' }, 'BillingMode'],
      [{ BillingMode: null }, 'BillingMode'],
      [{ Replicas: [region, region] }, '2 Replicas'],
      [
        { Replicas: [{ ...region, ReadProvisionedThroughputSettings: {} }] },
        'ReadProvisionedThroughputSettings',
      ],
      [{ GlobalSecondaryIndexes: [{ ...index, OnDemandThroughput: {} }] }, 'OnDemandThroughput'],
    ];
    for (const [properties, name] of hostile)
      await expect(createTable(client, 'refused', { ...tableProperties, ...properties })).rejects.toThrow(
        name,
      );
  });
});
