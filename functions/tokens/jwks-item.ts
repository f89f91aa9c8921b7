/** The published JWK Set as one item of the users table: rotation writes it, verifiers and the gateway read it. */
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { DomainError } from '../errors/domain-error.ts';
import { JWKS_ATTRIBUTE, JWKS_KEY, PARTITION_KEY } from '../users/table.ts';
import type { Jwks } from './json-web-keys.ts';

/** The table that holds the item. */
export interface JwksTable {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
}

/**
 * Reads the published set; the caller checks its shape.
 *
 * @throws DomainError `unavailable` when the table cannot be read or nothing is published
 */
export async function loadJwksFromTable({ client, tableName }: JwksTable): Promise<unknown> {
  let text: unknown;
  try {
    const { Item } = await client.send(
      new GetCommand({ TableName: tableName, Key: { [PARTITION_KEY]: JWKS_KEY }, ConsistentRead: true }),
    );
    text = Item?.[JWKS_ATTRIBUTE];
  } catch (error) {
    const name = error instanceof Error ? error.name : 'unknown';
    throw new DomainError('unavailable', {
      cause: error,
      reason: `the JWK Set cannot be read: ${name}`,
      retryAfterSeconds: 2,
    });
  }
  if (typeof text !== 'string')
    throw new DomainError('unavailable', { reason: 'no JWK Set is published yet', retryAfterSeconds: 5 });
  try {
    return JSON.parse(text);
  } catch {
    throw new DomainError('unavailable', { reason: 'the published JWK Set is not JSON' });
  }
}

/**
 * Publishes the set and reads it back: after this returns, every verifier that asks gets exactly this set.
 *
 * @throws DomainError `unavailable` when the set cannot be read back as it was written
 */
export async function publishJwks(table: JwksTable, jwks: Jwks): Promise<void> {
  const text = JSON.stringify(jwks);
  await table.client.send(
    new PutCommand({
      TableName: table.tableName,
      Item: { [PARTITION_KEY]: JWKS_KEY, [JWKS_ATTRIBUTE]: text },
    }),
  );
  if (JSON.stringify(await loadJwksFromTable(table)) !== text)
    throw new DomainError('unavailable', { reason: 'the published JWK Set reads back differently' });
}
