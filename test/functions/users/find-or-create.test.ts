import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import {
  DynamoDBClient,
  TransactionCanceledException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  PutCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Profile } from '../../../functions/contracts/http/profile.ts';
import { erasureKey, openidGuardKey } from '../../../functions/contracts/table.ts';
import { createAdministration } from '../../../functions/users/administer.ts';
import { createUsers, type Users } from '../../../functions/users/find-or-create.ts';
import {
  type Intercept,
  localIdentity,
  startUsersTable,
  type UsersTable,
} from '../../fixtures/users-table.ts';

const START = Date.UTC(2026, 0, 1);
const MONTH = 30 * 24 * 3600 * 1000;
const appid = 'wx0123456789abcdef';
const PHONE = { e164: '+8613800000000', country_code: '86', bound_at: 1_767_225_600, code_hash: 'hash' };
const profile: Profile = { username: '小明', sex: 1, avatar: 'https://a.example/1.png' };
/** Of a login that brings no profile. */
const nothing: Profile = { username: '', sex: 0, avatar: '' };
const otherProfile: Profile = { username: '别人', sex: 2, avatar: '' };

/** As many connections as the SDK opens at once; more calls would only queue for them. */
const AT_ONCE = 50;

let table: UsersTable;
beforeAll(async () => {
  table = await startUsersTable();
});
afterAll(() => table.stop());

let people = 0;
/** An openid no other test uses. */
const someone = () => ({ appid, openid: `o${'X'.repeat(22)}${String(++people).padStart(5, '0')}` });

/** Users with a client of their own, a frozen clock, and the list of commands sent. */
function setUp(intercept?: Intercept) {
  const { client, commands } = table.connect(intercept);
  let time = START;
  const users = createUsers({ client, tableName: table.tableName, now: () => time });
  const tick = (ms: number) => {
    time += ms;
  };
  return { users, client, commands, tick };
}

/** The index has not caught up: every query finds nothing. */
const indexMisses: Intercept = async ({ command }, proceed) => {
  const answer = (await proceed()) as { output: { Items?: unknown[] } };
  if (command === 'Query') answer.output.Items = [];
  return answer;
};

/** The index still shows what it showed before: every query answers these items. */
const indexShows =
  (items: () => Record<string, unknown>[]): Intercept =>
  async ({ command }, proceed) => {
    const answer = (await proceed()) as { output: { Items?: unknown[] } };
    if (command === 'Query') answer.output.Items = items();
    return answer;
  };

async function userItemsOf(openid: string) {
  return (await table.items()).filter((item) => item.openid === openid);
}

async function erase(userId: string, identity: { appid: string; openid: string }) {
  const { client } = table.connect();
  const Delete = (pk: string) => ({ Delete: { TableName: table.tableName, Key: { pk } } });
  await client.send(
    new TransactWriteCommand({
      TransactItems: [Delete(userId), Delete(openidGuardKey(identity.appid, identity.openid))],
    }),
  );
}

async function thrownBy(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (value) => {
      throw new Error(`resolved with ${inspect(value)}`);
    },
    (error: unknown) => error,
  );
}

describe('a first login', () => {
  it('creates the user with their profile, and the guard of their openid', async () => {
    const { users, commands } = setUp();
    const identity = { ...someone(), unionid: 'oUNION' };

    const { user, isNew } = await users.findOrCreateUser(identity, profile);

    expect(isNew).toBe(true);
    expect(user.userId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(await table.item(user.userId)).toEqual({
      pk: user.userId,
      ...identity,
      ...profile,
      status: 'active',
      created_at: START / 1000,
      last_login_at: START / 1000,
    });
    expect(await table.item(openidGuardKey(appid, identity.openid))).toEqual({
      pk: openidGuardKey(appid, identity.openid),
      user_id: user.userId,
    });
    expect(commands).toEqual(['Query', 'TransactWriteItems']);
  });

  it('makes two users of one openid under two mini-programs', async () => {
    const { users } = setUp();
    const { openid } = someone();

    const here = await users.findOrCreateUser({ appid, openid }, profile);
    const there = await users.findOrCreateUser({ appid: 'wxfedcba9876543210', openid }, profile);

    expect([here.isNew, there.isNew]).toEqual([true, true]);
    expect(here.user.userId).not.toBe(there.user.userId);
    expect((await users.findOrCreateUser({ appid, openid }, profile)).user.userId).toBe(here.user.userId);
  });

  it.each([
    ['with the index as it is', undefined],
    ['with the index lagging behind all of them', indexMisses],
  ])('first logins of one openid end in one user however many run at once, %s', async (_, intercept) => {
    const { users } = setUp(intercept);
    const identity = someone();

    const answers = await Promise.all(
      Array.from({ length: AT_ONCE }, () => users.findOrCreateUser(identity, profile)),
    );

    expect(new Set(answers.map(({ user }) => user.userId)).size).toBe(1);
    expect(answers.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(await userItemsOf(identity.openid)).toHaveLength(1);
    const guards = (await table.items()).filter(({ pk }) => String(pk).endsWith(`#${identity.openid}`));
    expect(guards).toEqual([
      { pk: openidGuardKey(appid, identity.openid), user_id: answers[0]?.user.userId },
    ]);
  });

  it('a first login that another one overtakes finds its user by the guard', async () => {
    const identity = someone();
    const winner = await setUp().users.findOrCreateUser(identity, profile);
    const { users, commands } = setUp(indexMisses);

    const { user, isNew } = await users.findOrCreateUser(identity, otherProfile);

    expect(isNew).toBe(false);
    expect(user).toEqual(winner.user);
    expect(commands).toEqual(['Query', 'TransactWriteItems', 'GetItem', 'GetItem']);
  });

  it('a first login tries again when transactions collide, and is unavailable when they never stop', async () => {
    const colliding = (times: number) => {
      let left = times;
      return setUp(async ({ command }, proceed) => {
        if (command !== 'TransactWriteItems' || left-- === 0) return proceed();
        throw new TransactionCanceledException({
          message: 'Transaction cancelled [None, TransactionConflict]',
          $metadata: {},
          CancellationReasons: [{ Code: 'None' }, { Code: 'TransactionConflict' }],
        });
      });
    };

    expect(await colliding(3).users.findOrCreateUser(someone(), profile)).toMatchObject({ isNew: true });
    const { users, commands } = colliding(Number.POSITIVE_INFINITY);
    expect(await thrownBy(users.findOrCreateUser(someone(), profile))).toMatchObject({ code: 'unavailable' });
    expect(commands.filter((command) => command === 'TransactWriteItems')).toHaveLength(5);
  });

  it('a first login succeeds although the response of its transaction was lost', async () => {
    let lost = 0;
    const base = new DynamoDBClient({ endpoint: table.endpoint, ...localIdentity, maxAttempts: 2 });
    base.middlewareStack.add(
      (next, context) => async (args) => {
        const answer = await next(args);
        if (context.commandName !== 'TransactWriteItemsCommand' || lost++ > 0) return answer;
        throw Object.assign(new Error('socket hang up'), { name: 'TimeoutError' });
      },
      { step: 'deserialize', priority: 'low' },
    );
    const client = DynamoDBDocumentClient.from(base, { marshallOptions: { removeUndefinedValues: true } });
    const users = createUsers({ client, tableName: table.tableName, now: () => START });
    const identity = someone();

    expect(await users.findOrCreateUser(identity, profile)).toMatchObject({ isNew: true });

    expect(lost).toBe(2);
    expect(await userItemsOf(identity.openid)).toHaveLength(1);
  });

  it('a first login picks another id when the new one is taken', async () => {
    const { user: taken } = await setUp().users.findOrCreateUser(someone(), profile);
    const ids = [taken.userId, 'another-id'];
    const { client } = table.connect();
    const users = createUsers({
      client,
      tableName: table.tableName,
      now: () => START,
      newId: () => ids.shift() ?? '',
    });

    expect((await users.findOrCreateUser(someone(), profile)).user.userId).toBe('another-id');
    expect(await table.item(taken.userId)).toMatchObject({ openid: taken.openid });
  });

  it('a login is unavailable, not endless, when a guard has no user', async () => {
    const identity = someone();
    const { users, client } = setUp();
    const guard = { pk: openidGuardKey(appid, identity.openid), user_id: 'gone' };
    await client.send(new PutCommand({ TableName: table.tableName, Item: guard }));

    const error = await thrownBy(users.findOrCreateUser(identity, profile));

    expect(error).toMatchObject({ code: 'unavailable', retryAfterSeconds: 2 });
    expect(inspect(error, { depth: 10 })).not.toContain(identity.openid);
    expect(await userItemsOf(identity.openid)).toEqual([]);
  });
});

describe('a returning login', () => {
  it('a returning login makes one query and no write, and keeps the profile', async () => {
    const identity = someone();
    const { users, commands, tick } = setUp();
    const first = await users.findOrCreateUser(identity, profile);
    commands.length = 0;
    tick(MONTH);

    const { user, isNew } = await users.findOrCreateUser(identity, otherProfile);

    expect(isNew).toBe(false);
    expect(user).toMatchObject({ userId: first.user.userId, ...identity, ...profile });
    expect(commands).toEqual(['Query']);
  });

  it('a returning login writes last_login_at at most once a month', async () => {
    const identity = someone();
    const { users, commands, tick } = setUp();
    const { user } = await users.findOrCreateUser(identity, profile);
    commands.length = 0;

    for (let day = 0; day < 95; day++) {
      tick(MONTH / 30);
      await users.findOrCreateUser(identity, otherProfile);
    }

    expect(commands.filter((command) => command !== 'Query')).toEqual([
      'UpdateItem',
      'UpdateItem',
      'UpdateItem',
    ]);
    expect(await table.item(user.userId)).toMatchObject({
      ...profile,
      last_login_at: START / 1000 + (93 * MONTH) / 30_000,
    });
  });

  it('a returning login fills in the unionid once when WeChat first tells it', async () => {
    const identity = someone();
    const { users, commands } = setUp();
    const { user } = await users.findOrCreateUser(identity, profile);
    commands.length = 0;

    const answer = await users.findOrCreateUser({ ...identity, unionid: 'oUNION1' }, otherProfile);
    await users.findOrCreateUser({ ...identity, unionid: 'oUNION1' }, otherProfile);

    expect(answer.user).toMatchObject({ userId: user.userId, unionid: 'oUNION1', ...profile });
    expect(commands).toEqual(['Query', 'UpdateItem', 'Query']);
  });

  it('a returning login keeps the newest unionid that WeChat tells, and operators find the user by it', async () => {
    const identity = someone();
    const { users, client, commands } = setUp();
    const [before, after] = [`${identity.openid}OLD`, `${identity.openid}NEW`];
    const { user } = await users.findOrCreateUser({ ...identity, unionid: before }, profile);
    const { findByUnionid } = createAdministration({
      client,
      tableName: table.tableName,
      now: () => START,
      revocations: { revokeAllTokens: () => Promise.reject(new Error('nobody asked')) },
    });
    const shown = await userItemsOf(identity.openid);
    const stale = setUp(indexShows(() => shown)).users;
    commands.length = 0;

    const answer = await users.findOrCreateUser({ ...identity, unionid: after }, profile);
    await users.findOrCreateUser({ ...identity, unionid: after }, profile);
    await users.findOrCreateUser(identity, profile);

    expect(commands).toEqual(['Query', 'UpdateItem', 'Query', 'Query']);
    await stale.findOrCreateUser({ ...identity, unionid: after }, profile);
    expect(answer.user.unionid).toBe(after);
    expect(await findByUnionid(after)).toMatchObject([{ userId: user.userId, unionid: after }]);
    expect(await findByUnionid(before)).toEqual([]);
  });

  it('a returning login fills what is empty in the profile, once and with no more than one write', async () => {
    const identity = someone();
    const { users, commands, tick } = setUp();
    const { user } = await users.findOrCreateUser(identity, nothing);
    tick(2 * MONTH);
    commands.length = 0;

    const withName = await users.findOrCreateUser(identity, { ...nothing, username: '小明' });
    const withAll = await users.findOrCreateUser(identity, otherProfile);
    await users.findOrCreateUser(identity, profile);
    await users.findOrCreateUser(identity, otherProfile);

    expect(withName).toMatchObject({ isNew: false, user: { ...nothing, username: '小明' } });
    expect(withAll.user).toMatchObject({ ...otherProfile, username: '小明' });
    expect(await table.item(user.userId)).toMatchObject({
      username: '小明',
      sex: otherProfile.sex,
      avatar: profile.avatar,
      last_login_at: START / 1000 + (2 * MONTH) / 1000,
    });
    expect(commands).toEqual([
      ...['Query', 'UpdateItem'],
      ...['Query', 'UpdateItem'],
      ...['Query', 'UpdateItem'],
      'Query',
    ]);
  });

  it('a returning login writes nothing for a profile that stays empty', async () => {
    const identity = someone();
    const { users, commands } = setUp();
    await users.findOrCreateUser(identity, nothing);
    commands.length = 0;

    await users.findOrCreateUser(identity, nothing);

    expect(commands).toEqual(['Query']);
  });

  it('a returning login never overwrites a name that the index does not show yet', async () => {
    const identity = someone();
    const { users } = setUp();
    const { user } = await users.findOrCreateUser(identity, nothing);
    const before = await userItemsOf(identity.openid);
    await users.findOrCreateUser(identity, { ...nothing, username: '小明' });
    const { users: late } = setUp(indexShows(() => before));

    const answer = await late.findOrCreateUser(identity, otherProfile);

    expect(answer).toMatchObject({ isNew: false, user: { userId: user.userId, username: '小明', sex: 2 } });
    expect(await table.item(user.userId)).toMatchObject({ username: '小明', sex: 2 });
  });

  it('logins that fill an empty profile at the same time all succeed, and the first name stays', async () => {
    const identity = someone();
    const { users } = setUp();
    const { user } = await users.findOrCreateUser(identity, nothing);

    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        users.findOrCreateUser(identity, { ...profile, username: `小明${index}` }),
      ),
    );

    expect(new Set(answers.map((answer) => answer.user.username)).size).toBe(1);
    expect(await table.item(user.userId)).toMatchObject({ username: answers[0]?.user.username });
  });

  it('a login never merges users of one unionid', async () => {
    const { users } = setUp();
    const one = await users.findOrCreateUser({ ...someone(), unionid: 'oSAME' }, profile);
    const two = await users.findOrCreateUser({ ...someone(), unionid: 'oSAME' }, profile);
    const three = await users.findOrCreateUser(
      { appid: 'wxfedcba9876543210', openid: someone().openid, unionid: 'oSAME' },
      profile,
    );

    expect(new Set([one, two, three].map(({ user }) => user.userId)).size).toBe(3);
  });

  it('a returning login waits for a transaction that holds the user for a moment', async () => {
    const identity = someone();
    const first = await setUp().users.findOrCreateUser(identity, profile);
    let conflicts = 1;
    const { users, tick } = setUp(async ({ command }, proceed) => {
      if (command !== 'UpdateItem' || conflicts-- === 0) return proceed();
      throw new TransactionConflictException({ message: 'Transaction is ongoing', $metadata: {} });
    });
    tick(2 * MONTH);

    const { user, isNew } = await users.findOrCreateUser(identity, profile);

    expect({ userId: user.userId, isNew }).toEqual({ userId: first.user.userId, isNew: false });
  });

  it('a returning login leaves attributes of the user that it does not know alone', async () => {
    const identity = someone();
    const { users, client, tick } = setUp();
    const { user } = await users.findOrCreateUser(identity, profile);
    await client.send(
      new UpdateCommand({
        TableName: table.tableName,
        Key: { pk: user.userId },
        UpdateExpression: 'SET phone = :phone, tokens_valid_after = :after, note = :note',
        ExpressionAttributeValues: { ':phone': PHONE, ':after': 1_767_000_000, ':note': 'vip' },
      }),
    );
    tick(2 * MONTH);

    const answer = await users.findOrCreateUser(identity, profile);

    expect(answer.user).toMatchObject({ phone: { e164: PHONE.e164 }, tokensValidAfter: 1_767_000_000 });
    expect(await table.item(user.userId)).toMatchObject({
      note: 'vip',
      last_login_at: START / 1000 + (2 * MONTH) / 1000,
    });
  });
});

describe('a login after an erasure', () => {
  it('a login after an erasure is a new user with a new id', async () => {
    const identity = someone();
    const { users } = setUp();
    const erased = await users.findOrCreateUser(identity, profile);
    await erase(erased.user.userId, identity);

    const { user, isNew } = await users.findOrCreateUser(identity, otherProfile);

    expect(isNew).toBe(true);
    expect(user.userId).not.toBe(erased.user.userId);
    expect(user).toMatchObject(otherProfile);
  });

  it('a login after an erasure does not bring back the user whom the index still shows', async () => {
    const identity = someone();
    const { users: early } = setUp();
    const erased = await early.findOrCreateUser(identity, profile);
    const before = await userItemsOf(identity.openid);
    await erase(erased.user.userId, identity);
    const { users, tick } = setUp(indexShows(() => before));
    tick(2 * MONTH);

    const { user, isNew } = await users.findOrCreateUser(identity, otherProfile);

    expect(isNew).toBe(true);
    expect(user.userId).not.toBe(erased.user.userId);
    expect(await table.item(erased.user.userId)).toBeUndefined();
    expect(await userItemsOf(identity.openid)).toHaveLength(1);
  });

  it('a login finds the new user when the index shows both or still only the erased one', async () => {
    const identity = someone();
    const { users: early } = setUp();
    const erased = await early.findOrCreateUser(identity, profile);
    const before = await userItemsOf(identity.openid);
    await erase(erased.user.userId, identity);
    const renewed = await early.findOrCreateUser(identity, otherProfile);
    const both = [...before, ...(await userItemsOf(identity.openid))];

    const shownWithin: [Record<string, unknown>[], number][] = [
      [before, 2 * MONTH],
      [both, 0],
      [both.toReversed(), 0],
    ];
    for (const [shown, elapsed] of shownWithin) {
      const { users, tick } = setUp(indexShows(() => shown));
      tick(elapsed);
      const { user, isNew } = await users.findOrCreateUser(identity, profile);
      expect({ userId: user.userId, isNew }).toEqual({ userId: renewed.user.userId, isNew: false });
    }
  });

  it('a login is a new user when the erasure falls between the guard and the read of its user', async () => {
    const identity = someone();
    const erased = await setUp().users.findOrCreateUser(identity, profile);
    const { users } = setUp(async (request, proceed) => {
      if (request.command === 'GetItem' && (await table.item(erased.user.userId)) !== undefined)
        await erase(erased.user.userId, identity);
      return indexMisses(request, proceed);
    });

    const { user, isNew } = await users.findOrCreateUser(identity, otherProfile);

    expect(isNew).toBe(true);
    expect(user.userId).not.toBe(erased.user.userId);
  });
});

describe('a repeated code', () => {
  const repeatedCode = { repeatedCode: true };
  const markErased = (identity: { appid: string; openid: string }, until: number) =>
    table.put({ pk: erasureKey(identity.appid, identity.openid), expires_at: until });

  it('finds a user, and makes the one whom its first request failed to make', async () => {
    const identity = someone();
    const { users } = setUp();

    expect(await users.findOrCreateUser(identity, profile, repeatedCode)).toMatchObject({ isNew: true });
    expect(await users.findOrCreateUser(identity, profile, repeatedCode)).toMatchObject({ isNew: false });
  });

  it('writes nothing to a user whom it finds, because its login may have ended', async () => {
    const identity = someone();
    const { users, commands, tick } = setUp();
    await users.findOrCreateUser(identity, { username: '', sex: 0, avatar: '' });
    const before = await userItemsOf(identity.openid);
    commands.length = 0;
    tick(2 * MONTH);

    await users.findOrCreateUser({ ...identity, unionid: 'oUNION9' }, profile, repeatedCode);

    expect(await userItemsOf(identity.openid)).toEqual(before);
    expect(commands).toEqual(['Query', 'GetItem']);
  });

  it('neither makes nor finds a user after an erasure, until its mark is over', async () => {
    const [gone, renewed] = [someone(), someone()];
    const { users } = setUp();
    await users.findOrCreateUser(renewed, profile);
    for (const identity of [gone, renewed]) {
      await markErased(identity, START / 1000 + 1);
      expect(await thrownBy(users.findOrCreateUser(identity, profile, repeatedCode))).toMatchObject({
        code: 'code_used',
      });
    }
    expect(await userItemsOf(gone.openid)).toEqual([]);

    for (const identity of [gone, renewed]) {
      await markErased(identity, START / 1000);
      expect(await users.findOrCreateUser(identity, profile, repeatedCode)).toHaveProperty('user');
    }
  });

  it('makes no user when the erasure falls between the look-up and the write', async () => {
    const identity = someone();
    const { users } = setUp(async ({ command }, proceed) => {
      if (command === 'TransactWriteItems') await markErased(identity, START / 1000 + 60);
      return proceed();
    });

    expect(await thrownBy(users.findOrCreateUser(identity, profile, repeatedCode))).toMatchObject({
      code: 'code_used',
    });
    expect(await userItemsOf(identity.openid)).toEqual([]);
  });

  it('a fresh code makes a new user right after an erasure', async () => {
    const identity = someone();
    await markErased(identity, START / 1000 + 60);

    expect(await setUp().users.findOrCreateUser(identity, profile)).toMatchObject({ isNew: true });
  });
});

describe('a banned user', () => {
  it('a banned user is refused and not written to, whichever way they are found', async () => {
    const identity = someone();
    const { users: early, client } = setUp();
    const { user } = await early.findOrCreateUser(identity, profile);
    const before = await userItemsOf(identity.openid);
    await client.send(
      new UpdateCommand({
        TableName: table.tableName,
        Key: { pk: user.userId },
        UpdateExpression: 'SET #status = :banned',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: { ':banned': 'banned' },
      }),
    );
    for (const intercept of [undefined, indexMisses]) {
      const { users, commands, tick } = setUp(intercept);
      tick(2 * MONTH);
      const error = await thrownBy(users.findOrCreateUser(identity, profile));
      expect(error).toMatchObject({ code: 'user_banned' });
      expect(commands).not.toContain('UpdateItem');
    }
    const { users, tick } = setUp(indexShows(() => before));
    tick(2 * MONTH);
    expect(await thrownBy(users.findOrCreateUser(identity, profile))).toMatchObject({ code: 'user_banned' });
    expect(await userItemsOf(identity.openid)).toHaveLength(1);
  });
});

describe('findUser', () => {
  it('findUser gives the user as they are now, or undefined', async () => {
    const { users, client } = setUp();
    const { user } = await users.findOrCreateUser(someone(), profile);

    expect(await users.findUser(user.userId)).toEqual(user);
    await client.send(new DeleteCommand({ TableName: table.tableName, Key: { pk: user.userId } }));
    expect(await users.findUser(user.userId)).toBeUndefined();
  });

  it('findUser reads consistently, so that a new user is there at once', async () => {
    let consistent: unknown;
    const { users } = setUp(async ({ command, input }, proceed) => {
      if (command === 'GetItem') consistent = (input as { ConsistentRead?: boolean }).ConsistentRead;
      return proceed();
    });

    await users.findUser('anyone');

    expect(consistent).toBe(true);
  });

  it('a damaged user item is reported as a bug', async () => {
    const { users, client } = setUp();
    await client.send(new PutCommand({ TableName: table.tableName, Item: { pk: 'damaged', status: 'ok' } }));

    await expect(users.findUser('damaged')).rejects.toThrow(/^A user item of the table is damaged: /);
  });
});

describe('with DynamoDB in trouble a login', () => {
  /** Limits in the proportions of the real client, a tenth as long. */
  const limits = { connectionTimeout: 50, requestTimeout: 100, throwOnRequestTimeout: true };
  const connectTo = (endpoint: string): Users => {
    const client = DynamoDBDocumentClient.from(
      new DynamoDBClient({ endpoint, ...localIdentity, maxAttempts: 3, requestHandler: limits }),
    );
    return createUsers({ client, tableName: 'users', now: () => START });
  };

  const json = (type: string, text: string) => ({
    status: 400,
    body: JSON.stringify({ __type: `x#${type}`, message: text }),
  });
  const openid = 'oSECRETOPENID';
  const troubles: [string, { status: number; body: string } | 'hang' | 'reset'][] = [
    ['hangs', 'hang'],
    ['resets connections', 'reset'],
    ['answers HTML', { status: 502, body: `<html>${openid}` }],
    ['answers half an item', { status: 200, body: `{"Items":[{"openid":{"S":"${openid}` }],
    ['fails inside', { status: 500, body: '{"__type":"x#InternalServerError"}' }],
    ['throttles', json('ThrottlingException', 'Throughput exceeds the current capacity')],
    ['denies access', json('AccessDeniedException', 'User: arn:aws:sts::1:x is not authorized')],
    ['has no such table', json('ResourceNotFoundException', 'Requested resource not found')],
    ['does not know our credentials', json('ExpiredTokenException', 'The security token is expired')],
  ];

  // Beside each other: in a trouble that may pass, the client pauses and tries again.
  it.concurrent.each(troubles)(
    'a login is unavailable and tells no openid when DynamoDB %s',
    async (_, trouble) => {
      const server = createServer((request, response) => {
        if (trouble === 'reset') request.socket.destroy();
        else if (trouble !== 'hang')
          response
            .writeHead(trouble.status, { 'content-type': 'application/x-amz-json-1.0' })
            .end(trouble.body);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const users = connectTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      const error = await thrownBy(users.findOrCreateUser({ appid, openid }, profile));

      expect(error).toMatchObject({ name: 'DomainError', code: 'unavailable', retryAfterSeconds: 2 });
      expect((error as Error).message).toMatch(/^AWS: \w+: ./);
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(openid);
      server.closeAllConnections();
      server.close();
    },
  );

  it('a login is unavailable when nothing listens', async () => {
    const error = await thrownBy(
      connectTo('http://127.0.0.1:1').findOrCreateUser({ appid, openid }, profile),
    );

    expect(error).toMatchObject({ code: 'unavailable' });
    expect(inspect(error, { depth: 10, showHidden: true })).toContain('ECONNREFUSED');
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(openid);
  });

  it('a user is unavailable when there are no credentials', async () => {
    const base = new DynamoDBClient({
      endpoint: table.endpoint,
      region: 'us-east-1',
      credentials: () =>
        Promise.reject(Object.assign(new Error('no provider'), { name: 'CredentialsProviderError' })),
    });
    const users = createUsers({
      client: DynamoDBDocumentClient.from(base),
      tableName: table.tableName,
      now: () => START,
    });

    expect(await thrownBy(users.findUser('x'))).toMatchObject({ code: 'unavailable' });
  });

  it('a login is unavailable when its transaction is throttled, and tells no openid', async () => {
    const { users } = setUp(async ({ command }, proceed) => {
      if (command !== 'TransactWriteItems') return proceed();
      throw new TransactionCanceledException({
        message: 'Transaction cancelled [ThrottlingError, None]',
        $metadata: {},
        CancellationReasons: [{ Code: 'ThrottlingError', Item: { openid: { S: openid } } }, { Code: 'None' }],
      });
    });

    const error = await thrownBy(users.findOrCreateUser({ appid, openid }, profile));

    expect(error).toMatchObject({ code: 'unavailable' });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(openid);
  });

  it('a mistake of ours is thrown as it is, not as unavailable', async () => {
    const { users } = setUp(() => Promise.reject(new TypeError('a bug')));
    const wrongTable = createUsers({ client: table.connect().client, tableName: '!', now: () => START });

    expect(await thrownBy(users.findOrCreateUser({ appid, openid }, profile))).toBeInstanceOf(TypeError);
    expect(await thrownBy(wrongTable.findUser('x'))).toMatchObject({ name: 'ValidationException' });
  });
});
