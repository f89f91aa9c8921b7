import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { localIdentity, usersTableProperties } from '../../../../test/fixtures/users-table.ts';
import { type Database, startDatabase } from '../../src/dynamodb/engine.ts';
import { createTable, type TableProperties } from '../../src/dynamodb/table.ts';

const answers = async (endpoint: string): Promise<boolean> =>
  fetch(endpoint).then(
    () => true,
    () => false,
  );

const until = async (condition: () => Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + 5_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('the condition did not come true within 5 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
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
  it('answers when it resolves and is gone when stop resolves', async () => {
    const database = await startDatabase();

    expect(await answers(database.endpoint)).toBe(true);
    await database.stop();

    expect(await answers(database.endpoint)).toBe(false);
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
    await createTable(writer, 'kept', usersTableProperties);
    await writer.send(new PutItemCommand({ TableName: 'kept', Item: { pk: { S: 'a' }, v: { S: '值' } } }));
    await first.stop();

    const second = await startDatabase({ dataFile });
    const reader = new DynamoDBClient({ endpoint: second.endpoint, ...localIdentity });
    await createTable(reader, 'kept', usersTableProperties);
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
      expect(await answers(endpoint)).toBe(true);

      parent.kill(signal);

      await until(async () => !(await answers(endpoint)));
    },
  );

  it('keeps the engine through a Ctrl-C, which reaches the whole process group, until the process ends', async () => {
    const { parent, endpoint } = await startInProcess(
      "process.on('SIGINT', () => process.stdout.write('!'));",
      {
        detached: true,
      },
    );

    process.kill(-(parent.pid ?? 0), 'SIGINT');
    await once(parent.stdout, 'data');
    await new Promise((resolve) => setTimeout(resolve, 100));

    expect(await answers(endpoint)).toBe(true);
    parent.kill('SIGKILL');
    await until(async () => !(await answers(endpoint)));
  });

  it('says in one sentence what to do where there is no engine for the platform', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'without-engine-'));
    const copy = join(folder, 'database.ts');
    await copyFile(new URL('../../src/dynamodb/engine.ts', import.meta.url), copy);
    const { startDatabase: startWithoutEngine } = await import(copy);

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
    expect(await answers(running.endpoint)).toBe(true);
    await running.stop();
  });

  it('says in one sentence that nothing answers at the given endpoint', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.close();
    await once(server, 'close');

    await expect(startDatabase({ endpoint })).rejects.toThrow(
      `No DynamoDB answers at DYNAMODB_ENDPOINT (${endpoint}).`,
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
    await createTable(client, 'shaped', usersTableProperties);

    const { Table } = await client.send(new DescribeTableCommand({ TableName: 'shaped' }));
    const { TimeToLiveDescription } = await client.send(
      new DescribeTimeToLiveCommand({ TableName: 'shaped' }),
    );
    expect(Table?.KeySchema).toEqual(usersTableProperties.KeySchema);
    expect(Table?.GlobalSecondaryIndexes?.[0]).toMatchObject(
      usersTableProperties.GlobalSecondaryIndexes[0] ?? {},
    );
    expect(Table?.BillingModeSummary?.BillingMode).toBe('PAY_PER_REQUEST');
    expect(TimeToLiveDescription).toEqual({ TimeToLiveStatus: 'ENABLED', AttributeName: 'expires_at' });
  });

  it('accepts a global table of one region, and properties that change no answer', async () => {
    const properties: TableProperties = {
      ...usersTableProperties,
      Replicas: [
        {
          Region: 'us-east-1',
          DeletionProtectionEnabled: true,
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          GlobalSecondaryIndexes: [{ IndexName: 'openid-index' }],
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
    const { GlobalSecondaryIndexes: _, TimeToLiveSpecification: __, ...rest } = usersTableProperties;
    const properties = {
      ...rest,
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    };

    await expect(createTable(client, 'plain', properties)).resolves.toBeUndefined();
  });

  it('accepts an existing table of the same shape, in any order, and refuses one of another', async () => {
    await createTable(client, 'existing', usersTableProperties);
    const reordered = {
      ...usersTableProperties,
      AttributeDefinitions: usersTableProperties.AttributeDefinitions.toReversed(),
    };
    const index = usersTableProperties.GlobalSecondaryIndexes[0];
    const others: TableProperties[] = [
      { GlobalSecondaryIndexes: undefined },
      { GlobalSecondaryIndexes: [{ ...index, IndexName: 'other' }] },
      { GlobalSecondaryIndexes: [{ ...index, Projection: { ProjectionType: 'ALL' } }] },
      {
        GlobalSecondaryIndexes: [
          { ...index, Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['status'] } },
        ],
      },
      { KeySchema: [{ AttributeName: 'openid', KeyType: 'HASH' }] },
    ];

    await expect(createTable(client, 'existing', reordered)).resolves.toBeUndefined();
    for (const other of others)
      await expect(createTable(client, 'existing', { ...usersTableProperties, ...other })).rejects.toThrow(
        'Table existing exists with other keys or indexes than the template says',
      );
  });

  it('refuses by name what it does not know', async () => {
    const region = { Region: 'us-east-1' };
    const index = usersTableProperties.GlobalSecondaryIndexes[0];
    const hostile: [TableProperties, string][] = [
      [{ LocalSecondaryIndexes: [] }, 'LocalSecondaryIndexes'],
      [{ StreamSpecification: { StreamViewType: 'NEW_IMAGE' } }, 'StreamSpecification'],
      [{ TableName: 'other' }, 'TableName'],
      [{ NewIn2030: true }, 'NewIn2030'],
      [{ BillingMode: 'PROVISIONED' }, 'BillingMode'],
      [{ BillingMode: undefined }, 'BillingMode'],
      [{ Replicas: [region, region] }, '2 Replicas'],
      [
        { Replicas: [{ ...region, ReadProvisionedThroughputSettings: {} }] },
        'ReadProvisionedThroughputSettings',
      ],
      [{ GlobalSecondaryIndexes: [{ ...index, OnDemandThroughput: {} }] }, 'OnDemandThroughput'],
    ];
    for (const [properties, name] of hostile)
      await expect(
        createTable(client, 'refused', { ...usersTableProperties, ...properties }),
      ).rejects.toThrow(name);
  });
});
