import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  loadJwksFromTable,
  loadSigningKeyCreatedAt,
  publishJwks,
  readPublished,
} from '../../../functions/keys/published-in-table.ts';
import { createTestKey, NOW_SECONDS, type TestKey } from '../../fixtures/tokens.ts';
import { localIdentity, startUsersTable, type UsersTable } from '../../fixtures/users-table.ts';

let table: UsersTable;
let key: TestKey;

beforeAll(async () => {
  [table, key] = await Promise.all([startUsersTable(), createTestKey()]);
});
afterAll(() => table.stop());

describe('the published set', () => {
  it('the keys are unavailable before anything was published', async () => {
    await expect(loadJwksFromTable(table)).rejects.toMatchObject({
      code: 'unavailable',
      reason: 'no JWK Set is published yet',
    });
  });

  it('the set reads back as it was published, and is stored as the text to serve', async () => {
    await publishJwks(table, { jwks: key.jwks, signingKeyCreatedAt: NOW_SECONDS }, undefined);

    expect(await loadJwksFromTable(table)).toEqual(key.jwks);
    const { Item } = await table.client.send(
      new GetCommand({ TableName: table.tableName, Key: { pk: 'jwks' } }),
    );
    expect(Item).toEqual({
      pk: 'jwks',
      jwks: JSON.stringify(key.jwks),
      signing_key_created_at: NOW_SECONDS,
    });
    expect(await loadSigningKeyCreatedAt(table)).toBe(NOW_SECONDS);
  });

  it('publishing fails when another set is read back', async () => {
    const before = await readPublished(table);
    const { client } = table.connect(async ({ command }, proceed) => {
      const answer = await proceed();
      if (command === 'PutItem')
        await publishJwks(table, { jwks: { keys: [] }, signingKeyCreatedAt: 0 }, await readPublished(table));
      return answer;
    });

    const publishing = publishJwks({ ...table, client }, { jwks: key.jwks, signingKeyCreatedAt: 0 }, before);

    await expect(publishing).rejects.toMatchObject({ code: 'unavailable' });
  });

  it.each([['an earlier one', '{"keys":["an earlier one"]}'] as const, ['none', undefined] as const])(
    'a set is not put in place of another than it was made from, such as %s',
    async (_, replaces) => {
      const before = await readPublished(table);

      const publishing = publishJwks(table, { jwks: key.jwks, signingKeyCreatedAt: 0 }, replaces);

      await expect(publishing).rejects.toMatchObject({
        code: 'unavailable',
        reason: 'another JWK Set than this was published meanwhile',
      });
      expect(await readPublished(table)).toBe(before);
    },
  );

  it('publishing is done when the first write had arrived and only its response was lost', async () => {
    const before = await readPublished(table);
    const publication = { jwks: key.jwks, signingKeyCreatedAt: NOW_SECONDS };
    await publishJwks(table, publication, before);

    await publishJwks(table, publication, before);

    expect(await loadJwksFromTable(table)).toEqual(key.jwks);
  });

  it('the keys are unavailable when the item holds something else', async () => {
    for (const jwks of ['{"keys"', 1, null, { keys: [] }]) {
      await table.client.send(new PutCommand({ TableName: table.tableName, Item: { pk: 'jwks', jwks } }));
      await expect(loadJwksFromTable(table)).rejects.toMatchObject({ code: 'unavailable' });
    }
  });

  it('the keys are unavailable when the table cannot be reached or does not exist', async () => {
    const away = new DynamoDBClient({ ...localIdentity, endpoint: 'http://127.0.0.1:1', maxAttempts: 1 });

    for (const unreachable of [
      { client: DynamoDBDocumentClient.from(away), tableName: table.tableName },
      { client: table.client, tableName: 'unknown' },
    ])
      await expect(loadJwksFromTable(unreachable)).rejects.toMatchObject({
        code: 'unavailable',
        reason: expect.stringMatching(/^AWS: \w+/),
      });
  });
});
