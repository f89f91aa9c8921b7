/** Creates tables as their CloudFormation properties say, so that they have the deployed shape. */

import {
  type AttributeDefinition,
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  type GlobalSecondaryIndex,
  type KeySchemaElement,
  ResourceNotFoundException,
  type TableDescription,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { LocalRunError, unsupported } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { objectOrEmpty, objects } from '../json.ts';
import { REGION } from '../template/account.ts';
import type { Resolver } from '../template/intrinsics.ts';
import { refuseUnknown } from '../template/properties.ts';

/** Protection, encryption, labels, capacity kept ready: without influence on any response. */
const ignored =
  'ContributorInsightsSpecification DeletionProtectionEnabled PointInTimeRecoverySpecification SSESpecification TableClass Tags WarmThroughput';
const tableProperties = {
  emulated:
    'AttributeDefinitions BillingMode GlobalSecondaryIndexes KeySchema Replicas TimeToLiveSpecification',
  ignored,
};
const replicaProperties = { emulated: 'GlobalSecondaryIndexes Region', ignored };
const indexProperties = { emulated: 'IndexName KeySchema Projection', ignored };

interface TableShape {
  readonly KeySchema: KeySchemaElement[];
  readonly AttributeDefinitions: AttributeDefinition[];
  readonly GlobalSecondaryIndexes: GlobalSecondaryIndex[];
}

/**
 * Creates the template's tables.
 *
 * @returns their names
 * @throws LocalRunError as {@link createTable} does
 */
export async function createTables(resolver: Resolver, endpoint: string): Promise<readonly string[]> {
  const client = new DynamoDBClient({
    endpoint,
    region: REGION,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const names: string[] = [];
  try {
    for (const { logicalId, properties } of resolver.resourcesOf('AWS::DynamoDB::GlobalTable')) {
      const { TableName: _, ...shape } = properties;
      const name = String(resolver.names(logicalId).ref);
      await createTable(client, name, shape);
      names.push(name);
    }
    return names;
  } finally {
    client.destroy();
  }
}

/**
 * Creates a table, or accepts the one of that name and shape that a kept data file already holds.
 *
 * @param properties of an `AWS::DynamoDB::GlobalTable`, intrinsic functions resolved
 * @throws LocalRunError naming a property that is not known, or saying that the existing table has another shape
 */
export async function createTable(
  client: DynamoDBClient,
  tableName: string,
  properties: JsonObject,
): Promise<void> {
  const shape = readShape(tableName, properties);
  const existing = await describe(client, tableName);
  if (existing !== undefined) {
    if (fingerprint(existing) === fingerprint(shape)) return;
    throw new LocalRunError(
      `Table ${tableName} exists with other keys or indexes than the template says: remove the kept data, or move it aside.`,
    );
  }
  const { GlobalSecondaryIndexes: indexes, ...rest } = shape;
  await client.send(
    new CreateTableCommand({
      TableName: tableName,
      BillingMode: 'PAY_PER_REQUEST',
      ...rest,
      ...(indexes.length > 0 && { GlobalSecondaryIndexes: indexes }),
    }),
  );
  const { AttributeName, Enabled } = objectOrEmpty(properties.TimeToLiveSpecification);
  if (Enabled === true)
    await client.send(
      new UpdateTimeToLiveCommand({
        TableName: tableName,
        TimeToLiveSpecification: { AttributeName: String(AttributeName), Enabled },
      }),
    );
}

function readShape(tableName: string, properties: JsonObject): TableShape {
  refuseUnknown(tableName, properties, tableProperties);
  const replicas = objects(properties.Replicas);
  if (replicas.length > 1)
    throw unsupported(tableName, `a table in several regions (${replicas.length} Replicas)`);
  for (const replica of replicas) refuseUnknown(`${tableName}.Replicas`, replica, replicaProperties);
  if (properties.BillingMode !== 'PAY_PER_REQUEST')
    throw unsupported(`${tableName}.BillingMode`, 'anything but PAY_PER_REQUEST');
  const indexes = objects(properties.GlobalSecondaryIndexes);
  for (const index of indexes) refuseUnknown(`${tableName}.GlobalSecondaryIndexes`, index, indexProperties);
  // The engine checks what is inside these; here they only get their types.
  return {
    KeySchema: [...objects(properties.KeySchema)] as unknown as KeySchemaElement[],
    AttributeDefinitions: [...objects(properties.AttributeDefinitions)] as unknown as AttributeDefinition[],
    GlobalSecondaryIndexes: indexes.map(({ IndexName, KeySchema, Projection }) => ({
      IndexName,
      KeySchema,
      Projection,
    })) as unknown as GlobalSecondaryIndex[],
  };
}

async function describe(client: DynamoDBClient, tableName: string): Promise<TableDescription | undefined> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName: tableName }))).Table;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

/** One text for equal shapes, whatever the order in which a template or an engine lists their parts. */
function fingerprint(table: TableShape | TableDescription): string {
  const keys = (schema: KeySchemaElement[] | undefined): string[] =>
    (schema ?? []).map((key) => `${key.KeyType} ${key.AttributeName}`).sort();
  return JSON.stringify({
    keys: keys(table.KeySchema),
    attributes: (table.AttributeDefinitions ?? [])
      .map((attribute) => `${attribute.AttributeType} ${attribute.AttributeName}`)
      .sort(),
    indexes: (table.GlobalSecondaryIndexes ?? [])
      .map((index) => [
        index.IndexName,
        ...keys(index.KeySchema),
        index.Projection?.ProjectionType,
        ...(index.Projection?.NonKeyAttributes ?? []).toSorted(),
      ])
      .sort(),
  });
}
