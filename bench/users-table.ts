/** Measures whether finding a member depends on how many there are: a table of a thousand users beside a large one. */
import { randomUUID } from 'node:crypto';
import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb';
import { createUsers } from '../functions/users/find-or-create.ts';
import { userToItem } from '../functions/users/user.ts';
import { startUsersTable, type UsersTable } from '../test/fixtures/users-table.ts';
import { compare, type Measurement, measureInTurn, type Rounds } from './measurement.ts';

/** DynamoDB takes so many items in one request. */
const BATCH = 25;
/** Requests that write at the same time. */
const WRITERS = 8;

const appid = 'wx0123456789abcdef';
const profile = { username: '', sex: 0, avatar: '' } as const;

const openidOf = (number: number): string => `oBench${String(number).padStart(22, '0')}`;

/**
 * Measures; the floor is the smaller table. The engine on this machine is no DynamoDB, whose look-up by key does not
 * depend on the size of the table: what is shown is that ours are look-ups by key, and that nothing scans.
 *
 * @param sizes users of each table
 */
export async function measureUsersTables(
  sizes: readonly number[],
  rounds: Rounds,
): Promise<readonly Measurement[]> {
  const tables: Awaited<ReturnType<typeof startTableOf>>[] = [];
  try {
    for (const size of sizes) tables.push(await startTableOf(size));
    const rows = (name: string, run: (table: Awaited<ReturnType<typeof startTableOf>>) => unknown) =>
      measureInTurn(
        tables.map((table) => ({ row: `${table.size} users`, run: () => run(table) })),
        rounds,
      ).then((series) => compare(`the users table: ${name}`, series));
    const returning = await rows('a returning user', ({ users, size }) =>
      users.findOrCreateUser({ appid, openid: openidOf(Math.floor(Math.random() * size)) }, profile),
    );
    const created = await rows('a new user', ({ users }) =>
      users.findOrCreateUser({ appid, openid: `oNew${randomUUID()}` }, profile),
    );
    return [...returning, ...created];
  } finally {
    for (const { stop } of tables) await stop();
  }
}

async function startTableOf(size: number) {
  const table = await startUsersTable();
  let next = 0;
  const writer = async (): Promise<void> => {
    while (next < size) {
      const from = next;
      next = Math.min(size, next + BATCH);
      await write(table, from, next);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
  return {
    size,
    users: createUsers({ client: table.client, tableName: table.tableName, now: Date.now }),
    stop: table.stop,
  };
}

/** Users as logins make them. Without guards, which no look-up here needs. */
async function write({ client, tableName }: UsersTable, from: number, to: number): Promise<void> {
  const at = Math.floor(Date.now() / 1000);
  const items = Array.from({ length: to - from }, (_, offset) =>
    userToItem({
      userId: randomUUID(),
      appid,
      openid: openidOf(from + offset),
      ...profile,
      status: 'active',
      createdAt: at,
      lastLoginAt: at,
    }),
  );
  let RequestItems: Record<string, { PutRequest: { Item: Record<string, unknown> } }[]> | undefined = {
    [tableName]: items.map((Item) => ({ PutRequest: { Item } })),
  };
  while (RequestItems !== undefined && Object.keys(RequestItems).length > 0)
    ({ UnprocessedItems: RequestItems } = (await client.send(new BatchWriteCommand({ RequestItems }))) as {
      UnprocessedItems?: typeof RequestItems;
    });
}
