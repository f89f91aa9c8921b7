/** An erasure against everything else that a member can do at the same moment, on a real engine. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { changesKey, openidGuardKey } from '../../../functions/contracts/table.ts';
import { asDomainError } from '../../../functions/errors/domain-error.ts';
import { createRevocations } from '../../../functions/tokens/revocations.ts';
import { createAdministration } from '../../../functions/users/administer.ts';
import { createUserChanges } from '../../../functions/users/change.ts';
import { createUsers } from '../../../functions/users/find-or-create.ts';
import { changesFromItem } from '../../../functions/users/recorded-changes.ts';
import { userFromItem } from '../../../functions/users/user.ts';
import { type Intercept, startUsersTable, type UsersTable } from '../../fixtures/users-table.ts';

/** So many requests are with the engine at once; the others wait, and any of them may be the next. */
const AT_ONCE = 3;
const appid = 'wx0123456789abcdef';
const order = { by: 'member', reason: 'a race' };
const nothing = { username: '', sex: 0, avatar: '' } as const;
const phone = { e164: '+8613800138000', countryCode: '86', boundAt: 1, codeHash: 'hash' };
/** What may be said to whoever lost against the erasure. */
const losers = ['unavailable', 'code_used', 'account_closing', 'user_banned'];

let table: UsersTable;
beforeAll(async () => {
  table = await startUsersTable();
});
afterAll(() => table.stop());

/** Sends requests in an order of chance, so that whatever takes two of them is overtaken between them. */
function inAnyOrder(): Intercept {
  const waiting: (() => void)[] = [];
  let underWay = 0;
  return async (_, proceed) => {
    if (underWay === AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
    else underWay += 1;
    try {
      return await proceed();
    } finally {
      const [next] = waiting.splice(Math.floor(Math.random() * waiting.length), 1);
      if (next === undefined) underWay -= 1;
      else next();
    }
  };
}

/** What may lose against the erasure. */
async function racing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    expect(losers).toContain(asDomainError(error).code);
    return undefined;
  }
}

it.each([
  ['erased', 200],
  ['closed, restored and erased', 50],
] as const)(
  'an account that is %s is never half a user, a token that works, or a guard without its user',
  async (how, manyRounds) => {
    let waited = 0;
    const { client } = table.connect(inAnyOrder());
    const shared = { client, tableName: table.tableName, now: Date.now };
    const users = createUsers(shared);
    const changes = createUserChanges(shared);
    const revocations = createRevocations({
      ...shared,
      now: () => Date.now() + waited,
      sleep: async (ms) => {
        waited += ms;
      },
    });
    const administration = createAdministration({ ...shared, revocations });
    const closes = how !== 'erased';
    const cancel = (userId: string): Promise<unknown> =>
      closes ? administration.close(userId, 1, order) : administration.erase(userId, order);
    /** The schedule looks at all accounts at once. */
    const eraseDue = async (): Promise<void> => {
      if (closes) expect((await administration.eraseDue(order)).failures).toEqual([]);
    };

    const race = async (round: number) => {
      const identity = { appid, openid: `o${how.length}-${String(round).padStart(10, '0')}` };
      const { userId } = (await users.findOrCreateUser(identity, nothing)).user;
      const authTime = Math.floor(Date.now() / 1000);
      const [refreshed, again] = await Promise.all([
        // A refresh asks once whether the login counts, and then signs whatever becomes of it.
        racing(revocations.statusOf({ userId, loginId: 'l', authTime })),
        racing(
          users.findOrCreateUser(
            { ...identity, unionid: 'u' },
            { ...nothing, username: '小明' },
            { restore: closes },
          ),
        ),
        racing(cancel(userId)),
        racing(cancel(userId)),
        racing(changes.changeProfile(userId, { username: '小红', sex: 1 })),
        racing(changes.bindPhone(userId, phone)),
        racing(administration.clear(userId, ['username', 'phone'], order)),
        round % 5 === 0 && racing(eraseDue()),
      ]);
      expect(['active', 'token_revoked', undefined]).toContain(refreshed);
      return { ...identity, userId, authTime, again };
    };

    const rounds = await Promise.all(Array.from({ length: manyRounds }, (_, round) => race(round)));
    // Whoever was in the way of all of them may have outlasted them.
    const left = new Set((await table.items()).map(({ pk }) => pk));
    await Promise.all(rounds.map(({ userId }) => left.has(userId) && cancel(userId)));
    await eraseDue();

    const items = await table.items();
    const item = new Map(items.map((found) => [found.pk, found]));
    for (const { userId, openid, authTime, again } of rounds) {
      expect(item.get(userId), openid).toBeUndefined();
      expect(await revocations.statusOf({ userId, loginId: 'l', authTime: authTime + 3_600_000 })).toBe(
        'token_revoked',
      );
      const recorded = changesFromItem(item.get(changesKey(userId))).map(({ what }) => what);
      expect(recorded.filter((what) => what === 'erase')).toHaveLength(1);
      // What was closed n times was restored n - 1 times, by whomever.
      const times = (wanted: string) => recorded.filter((what) => what === wanted).length;
      expect(times('close') - times('restore'), openid).toBe(closes ? 1 : 0);
      const guard = item.get(openidGuardKey(appid, openid));
      if (guard === undefined) continue;
      expect([guard.user_id, again?.isNew]).toEqual([again?.user.userId, true]);
      expect(userFromItem(item.get(guard.user_id))).toMatchObject({ openid, username: '小明' });
    }

    const people = items.filter(({ openid }) => openid !== undefined);
    const guards = new Set(
      items.filter(({ pk }) => String(pk).startsWith('openid#')).map(({ user_id }) => user_id),
    );
    for (const person of people) expect(guards).toContain(userFromItem(person).userId);
    expect(guards.size).toBe(people.length);
    const half = items.filter(({ pk }) => /^[0-9a-f]{8}-/.test(String(pk)) && !guards.has(pk));
    expect(half).toEqual([]);
  },
);
