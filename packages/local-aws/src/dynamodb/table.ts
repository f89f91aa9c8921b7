/** Creates a table as its CloudFormation properties say, so that the local run has the deployed shape. */
import {
  type AttributeDefinition,
  CreateTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  type GlobalSecondaryIndex,
  type KeySchemaElement,
  ResourceNotFoundException,
  type TableDescription,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';

/** Properties of an `AWS::DynamoDB::Table` or `AWS::DynamoDB::GlobalTable`, intrinsic functions resolved. */
export type TableProperties = Readonly<Record<string, unknown>>;

/** Properties that decide how the table answers: they are carried over. */
const shaping = [
  'KeySchema',
  'AttributeDefinitions',
  'GlobalSecondaryIndexes',
  'BillingMode',
  'TimeToLiveSpecification',
];

/** Properties without influence on any answer: protection, encryption, labels, capacity kept ready. */
const irrelevant = [
  'SSESpecification',
  'PointInTimeRecoverySpecification',
  'ContributorInsightsSpecification',
  'DeletionProtectionEnabled',
  'TableClass',
  'Tags',
  'WarmThroughput',
];

interface TableShape {
  readonly KeySchema: KeySchemaElement[];
  readonly AttributeDefinitions: AttributeDefinition[];
  readonly GlobalSecondaryIndexes: GlobalSecondaryIndex[];
}

/**
 * Creates a table, or accepts the one of that name and shape that a kept data file already holds.
 *
 * @throws Error naming a property the local run does not know, or saying that the existing table has another shape.
 */
export async function createTable(
  client: DynamoDBClient,
  tableName: string,
  properties: TableProperties,
): Promise<void> {
  const shape = readShape(tableName, properties);
  const existing = await describe(client, tableName);
  if (existing !== undefined) {
    if (fingerprint(existing) === fingerprint(shape)) return;
    throw new Error(
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
  const timeToLive = properties.TimeToLiveSpecification as
    | { AttributeName: string; Enabled: boolean }
    | undefined;
  if (timeToLive?.Enabled)
    await client.send(
      new UpdateTimeToLiveCommand({ TableName: tableName, TimeToLiveSpecification: timeToLive }),
    );
}

function readShape(tableName: string, properties: TableProperties): TableShape {
  refuseUnknown(tableName, properties, [...shaping, ...irrelevant, 'Replicas']);
  const replicas = list(properties.Replicas);
  if (replicas.length > 1)
    throw new Error(
      `Table ${tableName}: the local run has one region, the template has ${replicas.length} Replicas.`,
    );
  for (const replica of replicas)
    refuseUnknown(`${tableName} Replicas`, replica, ['Region', 'GlobalSecondaryIndexes', ...irrelevant]);
  if (properties.BillingMode !== 'PAY_PER_REQUEST')
    throw new Error(`Table ${tableName}: the local run knows BillingMode PAY_PER_REQUEST only.`);
  const indexes = list(properties.GlobalSecondaryIndexes);
  for (const index of indexes)
    refuseUnknown(`${tableName} GlobalSecondaryIndexes`, index, [
      'IndexName',
      'KeySchema',
      'Projection',
      ...irrelevant,
    ]);
  // The engine checks what is inside these; here they only get their types.
  return {
    KeySchema: properties.KeySchema as KeySchemaElement[],
    AttributeDefinitions: properties.AttributeDefinitions as AttributeDefinition[],
    GlobalSecondaryIndexes: indexes.map(({ IndexName, KeySchema, Projection }) => ({
      IndexName,
      KeySchema,
      Projection,
    })) as GlobalSecondaryIndex[],
  };
}

function list(value: unknown): TableProperties[] {
  return Array.isArray(value) ? value : [];
}

function refuseUnknown(where: string, properties: TableProperties, known: readonly string[]): void {
  const unknown = Object.keys(properties).filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`Table ${where}: the local run does not know the property ${unknown.join(', ')}.`);
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
