import { inspect } from 'node:util';
import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changesKey, erasureKey, JWKS_KEY, openidGuardKey } from '../../../functions/contracts/table.ts';
import { createRevocations } from '../../../functions/tokens/revocations.ts';
import { createAdministration } from '../../../functions/users/administer.ts';
import { createUsers } from '../../../functions/users/find-or-create.ts';
import type { WechatIdentity } from '../../../functions/wechat/identity.ts';
import { type Intercept, startUsersTable, type UsersTable } from '../../fixtures/users-table.ts';

const START = Date.UTC(2026, 0, 1);
const appid = 'wx0123456789abcdef';
const profile = { username: '小明', sex: 1, avatar: '' } as const;
const PHONE = { e164: '+8613800000000', country_code: '86', bound_at: 1_767_225_600, code_hash: 'hash' };
const order = { by: 'arn:aws:sts::123456789012:assumed-role/Support/li', reason: 'ticket 7' };
const changes = ['ban', 'unban', 'revoke', 'erase'] as const;

let table: UsersTable;
beforeAll(async () => {
  table = await startUsersTable();
});
afterAll(() => table.stop());

let people = 0;
/** An openid no other test uses. */
const someone = (): WechatIdentity & { appid: string } => ({
  appid,
  openid: `o${'A'.repeat(22)}${String(++people).padStart(5, '0')}`,
});

/** An administration with a client of its own and a clock that only waiting moves. */
function setUp(intercept?: Intercept) {
  const { client, commands } = table.connect(intercept);
  let time = START;
  const shared = { client, tableName: table.tableName, now: () => time };
  const sleep = async (ms: number) => {
    time += ms;
  };
  const revocations = createRevocations({ ...shared, sleep });
  const administration = createAdministration({ ...shared, revocations });
  return { administration, revocations, commands, now: shared.now };
}

/** Logs somebody in through the code that does it for mini-programs. */
async function logIn(identity = someone()) {
  const users = createUsers({ client: table.client, tableName: table.tableName, now: () => START });
  const { user, isNew } = await users.findOrCreateUser(identity, profile);
  return { userId: user.userId, identity, isNew, guardKey: openidGuardKey(identity.appid, identity.openid) };
}

const put = (item: Record<string, unknown>) =>
  table.client.send(new PutCommand({ TableName: table.tableName, Item: item }));

describe('looking for a user', () => {
  it('finds them by id, openid and unionid', async () => {
    const identity = { ...someone(), unionid: 'oUNION-one' };
    const { userId } = await logIn(identity);
    const { administration } = setUp();

    expect(await administration.findByUserId(userId)).toMatchObject({ userId, ...identity });
    expect(await administration.findByOpenid(identity.openid)).toMatchObject([
      { userId, createdAt: START / 1000 },
    ]);
    expect(await administration.findByOpenid(identity.openid, appid)).toMatchObject([{ userId }]);
    expect(await administration.findByUnionid('oUNION-one')).toMatchObject([{ userId }]);
  });

  it('finds all users of a unionid and of an openid, and those of one mini-program only when it is named', async () => {
    const first = { ...someone(), unionid: 'oUNION-two' };
    const second = { ...first, appid: 'wxfedcba9876543210' };
    const ids = [(await logIn(first)).userId, (await logIn(second)).userId];
    const { administration } = setUp();

    const idsOf = (users: readonly { userId: string }[]) => users.map(({ userId }) => userId).sort();
    expect(idsOf(await administration.findByUnionid('oUNION-two'))).toEqual(ids.toSorted());
    expect(idsOf(await administration.findByOpenid(first.openid))).toEqual(ids.toSorted());
    expect(idsOf(await administration.findByOpenid(first.openid, second.appid))).toEqual([ids[1]]);
  });

  it('reads on when a page of the table holds no such user', async () => {
    const { userId } = await logIn({ ...someone(), unionid: 'oUNION-far' });
    const { administration, commands } = setUp(async ({ command, input }, proceed) => {
      if (command === 'Scan') (input as { Limit?: number }).Limit = 1;
      return proceed();
    });

    expect(await administration.findByUnionid('oUNION-far')).toMatchObject([{ userId }]);
    expect(commands.filter((command) => command === 'Scan').length).toBeGreaterThan(1);
  });

  it('finds nobody who is not there, and nothing that is not a user', async () => {
    const { guardKey } = await logIn();
    await put({ pk: JWKS_KEY, jwks: '{}' });
    const { administration } = setUp();

    for (const key of ['nobody', JWKS_KEY, guardKey]) {
      expect(await administration.findByUserId(key), key).toBeUndefined();
      expect(await administration.exportUser(key), key).toBeUndefined();
    }
    expect(await administration.findByOpenid('oNOBODY')).toEqual([]);
    expect(await administration.findByUnionid('oNOBODY')).toEqual([]);
  });

  it('does not find an erased user whom the index still shows', async () => {
    const { userId, identity } = await logIn();
    const stale = await table.item(userId);
    const { administration } = setUp(async ({ command }, proceed) => {
      const answer = (await proceed()) as { output: { Items?: unknown[] } };
      if (command === 'Query') answer.output.Items = [stale];
      return answer;
    });

    await administration.erase(userId, order);

    expect(await administration.findByOpenid(identity.openid)).toEqual([]);
  });
});

describe('a ban', () => {
  it('a ban refuses the next login until it is taken back, and changes nothing else', async () => {
    const { userId, identity } = await logIn();
    const before = await table.item(userId);
    const { administration } = setUp();

    expect(await administration.ban(userId, order)).toBe(true);
    const validAfter = { tokens_valid_after: START / 1000 + 1 };
    expect(await table.item(userId)).toEqual({ ...before, ...validAfter, status: 'banned' });
    await expect(logIn(identity)).rejects.toMatchObject({ code: 'user_banned' });

    expect(await administration.unban(userId, order)).toBe(true);
    expect(await table.item(userId)).toEqual({ ...before, ...validAfter });
    expect(await logIn(identity)).toMatchObject({ userId, isNew: false });
  });

  it('the end of a ban brings no token of before back, and lets a login that follows it pass', async () => {
    const { userId } = await logIn();
    const { administration, revocations, now } = setUp();
    const before = { loginId: 'before', userId, authTime: Math.floor(now() / 1000) };

    await administration.ban(userId, order);
    expect(await revocations.statusOf(before)).toBe('user_banned');
    await administration.unban(userId, order);

    expect(await revocations.statusOf(before)).toBe('token_revoked');
    const after = { ...before, loginId: 'after', authTime: Math.floor(now() / 1000) };
    expect(await revocations.statusOf(after)).toBe('active');
  });
});

describe('a revocation', () => {
  it('a revocation sets the date of valid tokens and leaves the user as they were', async () => {
    const { userId } = await logIn();
    const before = await table.item(userId);
    const { administration } = setUp();

    expect(await administration.revoke(userId, order)).toBe(true);

    expect(await table.item(userId)).toEqual({ ...before, tokens_valid_after: START / 1000 + 1 });
  });

  it('a revocation is on record even when it fails', async () => {
    const { userId } = await logIn();
    const { administration } = setUp(async ({ command }, proceed) => {
      if (command === 'UpdateItem')
        throw Object.assign(new Error('slow down'), { $metadata: {}, $fault: 'client' });
      return proceed();
    });

    await expect(administration.revoke(userId, order)).rejects.toMatchObject({ code: 'unavailable' });

    expect(await administration.changesOf(userId)).toMatchObject([{ what: 'revoke' }]);
  });
});

describe('an erasure', () => {
  it('an erasure removes user and guard, so that nothing of the person is left and a later login is a new user', async () => {
    const identity = { ...someone(), unionid: 'oUNION-erased' };
    const { userId, guardKey } = await logIn(identity);
    await put({ ...(await table.item(userId)), phone: PHONE });
    const { administration } = setUp();

    expect(await administration.erase(userId, order)).toBe(true);

    expect(await table.item(guardKey)).toBeUndefined();
    expect(await table.item(erasureKey(appid, identity.openid))).toMatchObject({
      expires_at: START / 1000 + 360,
    });
    const left = JSON.stringify(await table.items());
    for (const secret of [identity.openid, identity.unionid, '13800000000'])
      expect(left).not.toContain(secret);
    const again = await logIn(identity);
    expect(again.isNew).toBe(true);
    expect(again.userId).not.toBe(userId);
    expect(await administration.erase(userId, order)).toBe(false);
    expect(await administration.findByUserId(again.userId)).toBeDefined();
  });

  it('an erasure works without a guard', async () => {
    const { userId, guardKey } = await logIn();
    await table.client.send(new DeleteCommand({ TableName: table.tableName, Key: { pk: guardKey } }));
    const { administration } = setUp();

    expect(await administration.erase(userId, order)).toBe(true);

    expect(await table.item(userId)).toBeUndefined();
  });

  it('an erasure leaves a guard that is another user’s', async () => {
    const { userId, guardKey } = await logIn();
    await put({ pk: guardKey, user_id: 'somebody-else' });
    const { administration } = setUp();

    expect(await administration.erase(userId, order)).toBe(true);

    expect(await table.item(userId)).toBeUndefined();
    expect(await table.item(guardKey)).toEqual({ pk: guardKey, user_id: 'somebody-else' });
    expect(await administration.changesOf(userId)).toHaveLength(1);
  });

  it('an erasure happens once when it is ordered many times at once', async () => {
    const { userId } = await logIn();
    const { administration } = setUp();

    const outcomes = await Promise.all(Array.from({ length: 5 }, () => administration.erase(userId, order)));

    expect(outcomes.filter(Boolean)).toHaveLength(1);
    expect(await administration.changesOf(userId)).toHaveLength(1);
  });
});

describe('every change', () => {
  it('every change is recorded with who, what, when and why, and the record outlives the user', async () => {
    const { userId } = await logIn();
    const { administration } = setUp();

    for (const change of changes) expect(await administration[change](userId, order)).toBe(true);

    const recorded = await administration.changesOf(userId);
    expect(recorded.map(({ what }) => what)).toEqual([...changes]);
    for (const { what: _, at, ...who } of recorded) {
      expect(who).toEqual(order);
      expect(at - START / 1000).toBeLessThanOrEqual(changes.length);
    }
    expect(Object.keys((await table.item(changesKey(userId))) ?? {}).sort()).toEqual(['changes', 'pk']);
  });

  it('what is not a user is neither changed nor on record', async () => {
    const { guardKey } = await logIn();
    await put({ pk: JWKS_KEY, jwks: '{}' });
    const before = await table.items();
    const { administration } = setUp();

    for (const key of ['nobody', JWKS_KEY, guardKey])
      for (const change of changes)
        expect(await administration[change](key, order), `${change} ${key}`).toBe(false);

    expect(await table.items()).toEqual(before);
  });

  it('a change is tried again when a login is in its way, and is unavailable when that does not end', async () => {
    const { userId } = await logIn();
    let conflicts = 2;
    const { administration } = setUp(async ({ command }, proceed) => {
      if (command !== 'TransactWriteItems' || conflicts-- <= 0) return proceed();
      throw new TransactionCanceledException({
        message: 'cancelled',
        $metadata: {},
        CancellationReasons: [{ Code: 'TransactionConflict' }, { Code: 'None' }],
      });
    });

    expect(await administration.ban(userId, order)).toBe(true);
    conflicts = Number.POSITIVE_INFINITY;
    await expect(administration.unban(userId, order)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('a change is unavailable when the database is, without a word about the person', async () => {
    const { userId, identity } = await logIn();
    const { administration } = setUp(async ({ command }, proceed) => {
      if (command === 'GetItem') return proceed();
      throw Object.assign(new Error(`cannot read ${identity.openid}`), {
        $metadata: {},
        $response: identity.openid,
      });
    });

    for (const call of [
      ...changes.map((change) => () => administration[change](userId, order)),
      () => administration.findByOpenid(identity.openid),
      () => administration.findByUnionid(identity.openid),
    ]) {
      const error = await call().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({ code: 'unavailable' });
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(identity.openid);
    }
  });
});

describe('an export', () => {
  it('an export holds every attribute of the user, their guard and what was done, but not by whom', async () => {
    const { userId, guardKey } = await logIn({ ...someone(), unionid: 'oUNION-export' });
    await put({ ...(await table.item(userId)), phone: PHONE, added_later: 'too' });
    const { administration } = setUp();
    await administration.ban(userId, order);

    const held = await administration.exportUser(userId);

    expect(held).toEqual({
      user: await table.item(userId),
      openid_guard: await table.item(guardKey),
      changes: [{ at: START / 1000, what: 'ban', reason: order.reason }],
    });
    expect(held?.user).toMatchObject({ phone: PHONE, added_later: 'too' });
  });

  it('an export leaves out a guard that is another user’s', async () => {
    const { userId, guardKey } = await logIn();
    await put({ pk: guardKey, user_id: 'somebody-else' });

    expect(await setUp().administration.exportUser(userId)).not.toHaveProperty('openid_guard');
  });
});

describe('a closed account', () => {
  const DAY_SECONDS = 86_400;
  const now = START / 1000;
  const closesAt = now + 7 * DAY_SECONDS;
  const logInAgain = (identity: WechatIdentity & { appid: string }, restore: boolean) =>
    createUsers({
      client: table.client,
      tableName: table.tableName,
      now: () => START + 5_000,
    }).findOrCreateUser(identity, profile, { restore });

  it('has no login that counts, lets nobody in, and says when it is to be erased, also when it is closed again', async () => {
    const { userId, identity } = await logIn();
    const { administration, revocations } = setUp();

    expect(await administration.close(userId, closesAt, order)).toBe(closesAt);
    expect(await administration.close(userId, closesAt + 1, order)).toBe(closesAt);

    expect(await revocations.statusOf({ userId, loginId: 'l', authTime: now + DAY_SECONDS })).toBe(
      'token_revoked',
    );
    await expect(logInAgain(identity, false)).rejects.toMatchObject({ code: 'account_closing' });
    expect((await administration.changesOf(userId)).map(({ what }) => what)).toEqual(['close']);
    expect(await administration.closing()).toContainEqual(expect.objectContaining({ userId, closesAt }));
  });

  it('is opened by a login that wants it back, and no login of before with it', async () => {
    const { userId, identity } = await logIn();
    const { administration, revocations } = setUp();
    await administration.close(userId, closesAt, order);

    const { user, isNew } = await logInAgain(identity, true);

    expect([user.userId, user.status, user.closesAt, isNew]).toEqual([userId, 'active', undefined, false]);
    expect(await revocations.statusOf({ userId, loginId: 'l', authTime: now })).toBe('token_revoked');
    expect(await revocations.statusOf({ userId, loginId: 'l', authTime: now + 5 })).toBe('active');
    expect((await administration.closing()).map((each) => each.userId)).not.toContain(userId);
    expect(await administration.changesOf(userId)).toMatchObject([
      { what: 'close' },
      { what: 'restore', by: 'member', at: now + 5 },
    ]);
  });

  it('is opened and recorded once by any number of logins and operators at once', async () => {
    const { userId, identity } = await logIn();
    const { administration } = setUp();
    await administration.close(userId, closesAt, order);

    const found = await Promise.all([
      ...[1, 2, 3].map(() => logInAgain(identity, true)),
      ...[1, 2].map(() => administration.restore(userId, order)),
    ]);

    const logins = found.filter((each) => typeof each !== 'boolean');
    expect(logins.map(({ user, isNew }) => [user.userId, isNew])).toEqual(Array(3).fill([userId, false]));
    expect((await administration.changesOf(userId)).map(({ what }) => what)).toEqual(['close', 'restore']);
  });

  it('is not said to be erased when it is restored while it is closed once more', async () => {
    const { userId, identity } = await logIn();
    await setUp().administration.close(userId, closesAt, order);
    // The second cancellation finds the account closed, and open when it looks for the time.
    const { administration } = setUp(async ({ command }, proceed) => {
      if (command !== 'TransactWriteItems') return proceed();
      return proceed().finally(() => logInAgain(identity, true));
    });

    await expect(administration.close(userId, closesAt, order)).rejects.toMatchObject({
      code: 'unavailable',
    });
  });

  it('that was closed and restored without end stays closed, so that a ban can still be recorded', async () => {
    const { userId, identity } = await logIn();
    const { administration } = setUp();
    await administration.close(userId, closesAt, order);
    const before = Array.from({ length: 499 }, () => ({
      at: now,
      what: 'close',
      by: 'member',
      reason: 'again',
    }));
    await table.put({ pk: changesKey(userId), changes: before });
    await logInAgain(identity, true);
    await administration.close(userId, closesAt, order);

    await expect(logInAgain(identity, true)).rejects.toMatchObject({ code: 'account_closing' });

    expect((await table.item(userId))?.status).toBe('closing');
    expect(await administration.ban(userId, order)).toBe(true);
    expect((await administration.changesOf(userId)).slice(-3).map(({ what }) => what)).toEqual([
      'restore',
      'close',
      'ban',
    ]);
  });

  it('is opened by an operator, once', async () => {
    const { userId } = await logIn();
    const { administration } = setUp();
    await administration.close(userId, closesAt, order);

    expect(await administration.restore(userId, order)).toBe(true);
    expect(await administration.restore(userId, order)).toBe(false);

    expect(await table.item(userId)).toMatchObject({ status: 'active' });
    expect((await administration.changesOf(userId)).map(({ what }) => what)).toEqual(['close', 'restore']);
  });

  it('is still to be erased after a ban, and after the end of the ban', async () => {
    const { userId } = await logIn();
    const { administration } = setUp();
    await administration.close(userId, closesAt, order);
    const isClosing = async () => (await administration.closing()).some((user) => user.userId === userId);

    await administration.ban(userId, order);
    expect([await isClosing(), (await table.item(userId))?.status]).toEqual([true, 'banned']);
    await administration.unban(userId, order);
    expect([await isClosing(), (await table.item(userId))?.status]).toEqual([true, 'closing']);
  });

  it('of somebody who is banned cannot be closed', async () => {
    const { userId } = await logIn();
    const { administration } = setUp();
    await administration.ban(userId, order);

    await expect(administration.close(userId, closesAt, order)).rejects.toMatchObject({
      code: 'user_banned',
    });
  });

  it('is erased when its time has come and not before, banned or not, and one that fails stops no other', async () => {
    const people = await Promise.all(['due', 'banned', 'stuck', 'later', 'restored'].map(() => logIn()));
    const [due, banned, stuck, later, restored] = people.map(({ userId }) => userId) as [
      string,
      string,
      string,
      string,
      string,
    ];
    const { administration: before } = setUp();
    for (const userId of [due, banned, stuck, restored]) await before.close(userId, now + 1, order);
    await before.close(later, now + 3600, order);
    await before.ban(banned, order);
    await before.restore(restored, order);
    const { administration } = setUp(async ({ command, input }, proceed) => {
      if (command === 'TransactWriteItems' && JSON.stringify(input).includes(stuck))
        throw Object.assign(new Error('slow down'), { $metadata: {}, $fault: 'client' });
      return proceed();
    });
    // The clock of this administration moves a second on.
    await administration.revoke(restored, order);

    const { erased, failures } = await administration.eraseDue(order);

    expect(erased).toBeGreaterThanOrEqual(2);
    expect(failures).toEqual([expect.objectContaining({ code: 'unavailable' })]);
    const left = await Promise.all([due, banned, stuck, later, restored].map((pk) => table.item(pk)));
    expect(left.map((item) => item !== undefined)).toEqual([false, false, true, true, true]);
    expect(await table.item(people[0]?.guardKey ?? '')).toBeUndefined();
  });

  it('that is opened while the schedule comes for it is kept', async () => {
    const { userId } = await logIn();
    const { administration: before } = setUp();
    await before.close(userId, now, order);
    const { administration } = setUp(async ({ command, input }, proceed) => {
      if (command === 'TransactWriteItems' && JSON.stringify(input).includes(userId))
        await before.restore(userId, order);
      return proceed();
    });

    await administration.eraseDue(order);

    expect(await table.item(userId)).toMatchObject({ status: 'active' });
  });
});

describe('clearing', () => {
  it('empties what is named, leaves the rest, and is recorded', async () => {
    const { userId } = await logIn();
    await put({ ...(await table.item(userId)), phone: PHONE, avatar: 'https://a.example/1.png' });
    const before = await table.item(userId);
    const { administration } = setUp();

    expect(await administration.clear(userId, ['phone'], order)).toBe(true);
    const { phone: _, ...withoutPhone } = before ?? {};
    expect(await table.item(userId)).toEqual(withoutPhone);
    expect(await administration.clear(userId, ['username', 'avatar', 'phone'], order)).toBe(true);
    expect(await table.item(userId)).toEqual({ ...withoutPhone, username: '', avatar: '' });
    expect((await administration.changesOf(userId)).map(({ what }) => what)).toEqual(['clear', 'clear']);
  });

  it('makes nobody who is gone', async () => {
    const { userId } = await logIn();
    const { administration } = setUp();
    await administration.erase(userId, order);

    expect(await administration.clear(userId, ['username'], order)).toBe(false);
    expect(await table.item(userId)).toBeUndefined();
  });
});
