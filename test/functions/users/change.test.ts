import { TransactionConflictException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JWKS_KEY, openidGuardKey } from '../../../functions/contracts/table.ts';
import { createUserChanges } from '../../../functions/users/change.ts';
import { createUsers } from '../../../functions/users/find-or-create.ts';
import { type Intercept, startUsersTable, type UsersTable } from '../../fixtures/users-table.ts';

const START = Date.UTC(2026, 0, 1);

let table: UsersTable;
beforeAll(async () => {
  table = await startUsersTable();
});
afterAll(() => table.stop());

let people = 0;
async function newUser() {
  const identity = { appid: 'wx1', openid: `o${String(++people).padStart(27, '0')}` };
  const users = createUsers({ client: table.client, tableName: table.tableName, now: () => START });
  const { user } = await users.findOrCreateUser(identity, { username: '小明', sex: 1, avatar: '' });
  return user;
}

function setUp(intercept?: Intercept) {
  const { client, commands } = table.connect(intercept);
  return { changes: createUserChanges({ client, tableName: table.tableName }), commands };
}

describe('a change of the profile', () => {
  it('changes what is named and nothing else', async () => {
    const user = await newUser();

    const changed = await setUp().changes.changeProfile(user.userId, { username: '小红', sex: 0 });

    expect(changed).toEqual({ ...user, username: '小红', sex: 0 });
    expect(await table.item(user.userId)).toMatchObject({ username: '小红', sex: 0, openid: user.openid });
  });

  it('finds no user who was erased, and makes none', async () => {
    const { userId } = await newUser();
    await table.client.send(new DeleteCommand({ TableName: table.tableName, Key: { pk: userId } }));

    expect(await setUp().changes.changeProfile(userId, { username: '小红' })).toBeUndefined();

    expect(await table.item(userId)).toBeUndefined();
  });

  it.each([JWKS_KEY, openidGuardKey('wx1', 'oGuarded')])('leaves items of others alone: %s', async (pk) => {
    await table.put({ pk, user_id: 'u' });

    expect(await setUp().changes.changeProfile(pk, { username: '小红' })).toBeUndefined();

    expect(await table.item(pk)).toEqual({ pk, user_id: 'u' });
  });

  it.concurrent('is made again when a login or an erasure of the same moment is in the way', async () => {
    const { userId } = await newUser();
    let conflicts = 2;
    const { changes, commands } = setUp(async ({ command }, proceed) => {
      if (command === 'UpdateItem' && conflicts-- > 0)
        throw new TransactionConflictException({ $metadata: {}, message: 'in conflict' });
      return proceed();
    });

    expect(await changes.changeProfile(userId, { username: '小红' })).toMatchObject({ username: '小红' });

    expect(commands).toEqual(['UpdateItem', 'UpdateItem', 'UpdateItem']);
  });

  it.concurrent('gives up on what stays in the way', async () => {
    const { userId } = await newUser();
    const { changes } = setUp(async () => {
      throw new TransactionConflictException({ $metadata: {}, message: 'in conflict' });
    });

    await expect(changes.changeProfile(userId, { sex: 2 })).rejects.toMatchObject({ code: 'unavailable' });
  });
});
