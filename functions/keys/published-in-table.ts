/** The published JWK Set as one item of the users table: rotation writes it, verifiers and the gateway read it. */
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as v from 'valibot';
import { answered } from '../aws/unavailable.ts';
import { jsonText } from '../contracts/schemas.ts';
import {
  JWKS_ATTRIBUTE,
  JWKS_KEY,
  PARTITION_KEY,
  SIGNING_KEY_CREATED_AT_ATTRIBUTE,
} from '../contracts/table.ts';
import { DomainError } from '../errors/domain-error.ts';
import type { Jwks } from './json-web-keys.ts';

export interface JwksTable {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
}

/**
 * Reads the published set; the caller checks its shape.
 *
 * @throws DomainError `unavailable` when the table cannot be read or nothing is published
 */
export async function loadJwksFromTable(table: JwksTable): Promise<unknown> {
  const { [JWKS_ATTRIBUTE]: text } = await readItem(table);
  if (typeof text !== 'string')
    throw new DomainError('unavailable', { reason: 'no JWK Set is published yet' });
  const read = v.safeParse(jsonText, text);
  if (!read.success) throw new DomainError('unavailable', { reason: 'the published JWK Set is not JSON' });
  return read.output;
}

/**
 * When the key that signs now was made, in Unix seconds.
 *
 * @throws DomainError `unavailable` when the table cannot be read or nothing is published
 */
export async function loadSigningKeyCreatedAt(table: JwksTable): Promise<number> {
  const { [SIGNING_KEY_CREATED_AT_ATTRIBUTE]: createdAt } = await readItem(table);
  if (typeof createdAt !== 'number')
    throw new DomainError('unavailable', { reason: 'no JWK Set is published yet' });
  return createdAt;
}

/** What is published of a key ring. */
export interface Publication {
  readonly jwks: Jwks;
  /** Unix seconds. */
  readonly signingKeyCreatedAt: number;
}

/**
 * Publishes a ring's public keys and reads them back: after this returns, every verifier that reads gets
 * exactly this set.
 *
 * @throws DomainError `unavailable` when the set cannot be written, or not be read back as it was written
 */
export async function publishJwks(
  table: JwksTable,
  { jwks, signingKeyCreatedAt }: Publication,
): Promise<void> {
  const text = JSON.stringify(jwks);
  await answered(
    table.client.send(
      new PutCommand({
        TableName: table.tableName,
        Item: {
          [PARTITION_KEY]: JWKS_KEY,
          [JWKS_ATTRIBUTE]: text,
          [SIGNING_KEY_CREATED_AT_ATTRIBUTE]: signingKeyCreatedAt,
        },
      }),
    ),
  );
  if (JSON.stringify(await loadJwksFromTable(table)) !== text)
    throw new DomainError('unavailable', { reason: 'the published JWK Set reads back differently' });
}

async function readItem({ client, tableName }: JwksTable): Promise<Record<string, unknown>> {
  const { Item = {} } = await answered(
    client.send(
      new GetCommand({ TableName: tableName, Key: { [PARTITION_KEY]: JWKS_KEY }, ConsistentRead: true }),
    ),
  );
  return Item;
}
