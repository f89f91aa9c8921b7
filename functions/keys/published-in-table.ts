/** The published JWK Set as one item of the users table: rotation writes it, verifiers and the gateway read it. */
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as v from 'valibot';
import { answered, asUnavailable } from '../aws/unavailable.ts';
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

/** The published set as it stands; `undefined` before the first one. @throws DomainError `unavailable` */
export async function readPublished(table: JwksTable): Promise<string | undefined> {
  const { [JWKS_ATTRIBUTE]: text } = await readItem(table);
  return typeof text === 'string' ? text : undefined;
}

/** What is published of a key ring. */
export interface Publication {
  readonly jwks: Jwks;
  /** Unix seconds. */
  readonly signingKeyCreatedAt: number;
}

/**
 * Publishes a ring's public keys in place of a set, and reads them back: after this returns, every verifier that reads
 * gets exactly these.
 *
 * @param replaces what {@link readPublished} gave before the ring was read: where another set stands by now, a twin of
 *   this rotation has published it, and may know a newer ring
 * @throws DomainError `unavailable` when the set cannot be written, another one stands in its place, or it cannot be
 *   read back as it was written
 */
export async function publishJwks(
  table: JwksTable,
  { jwks, signingKeyCreatedAt }: Publication,
  replaces: string | undefined,
): Promise<void> {
  const text = JSON.stringify(jwks);
  try {
    await table.client.send(
      new PutCommand({
        TableName: table.tableName,
        Item: {
          [PARTITION_KEY]: JWKS_KEY,
          [JWKS_ATTRIBUTE]: text,
          [SIGNING_KEY_CREATED_AT_ATTRIBUTE]: signingKeyCreatedAt,
        },
        ExpressionAttributeNames: { '#jwks': JWKS_ATTRIBUTE },
        ...(replaces === undefined
          ? { ConditionExpression: 'attribute_not_exists(#jwks)' }
          : {
              ConditionExpression: '#jwks = :replaces',
              ExpressionAttributeValues: { ':replaces': replaces },
            }),
      }),
    );
  } catch (error) {
    // A repetition of a write whose response was lost finds its own set, and all is well.
    if (!(error instanceof ConditionalCheckFailedException)) throw asUnavailable(error);
  }
  if ((await readPublished(table)) !== text)
    throw new DomainError('unavailable', { reason: 'another JWK Set than this was published meanwhile' });
}

async function readItem({ client, tableName }: JwksTable): Promise<Record<string, unknown>> {
  const { Item = {} } = await answered(
    client.send(
      new GetCommand({ TableName: tableName, Key: { [PARTITION_KEY]: JWKS_KEY }, ConsistentRead: true }),
    ),
  );
  return Item;
}
