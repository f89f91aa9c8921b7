/** An erasure against everything else that a member can do at the same moment, on a real engine. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openidGuardKey } from '../../../functions/contracts/table.ts';
import { asDomainError } from '../../../functions/errors/domain-error.ts';
import { createRevocations } from '../../../functions/tokens/revocations.ts';
import { createAdministration } from '../../../functions/users/administer.ts';
import { createUserChanges } from '../../../functions/users/change.ts';
import { createUsers } from '../../../functions/users/find-or-create.ts';
import { userFromItem } from '../../../functions/users/user.ts';
import { startUsersTable, type UsersTable } from '../../fixtures/users-table.ts';

const AT_ONCE = 20;
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

/** Starts some milliseconds late, so that each round has another order. */
async function jittered<T>(work: () => Promise<T>): Promise<T | undefined> {
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 6));
  try {
    return await work();
  } catch (error) {
    expect(losers).toContain(asDomainError(error).code);
    return undefined;
  }
}

it.each([
  ['erase', 200],
  ['close and erase', 40],
] as const)(
  'leaves never half a user, a token that works, or a guard without its user: %s, %i rounds',
  async (how, rounds) => {
    const shared = { client: table.client, tableName: table.tableName, now: Date.now };
    const users = createUsers(shared);
    const changes = createUserChanges(shared);
    const revocations = createRevocations({ ...shared, sleep: async () => {} });
    const administration = createAdministration({
      ...shared,
      revocations: how === 'erase' ? revocations : { revokeAllTokens: async () => {} },
    });
    const race = async (round: number): Promise<void> => {
      const openid = `o${how.length}-${String(round).padStart(10, '0')}`;
      const identity = { appid, openid };
      const { userId } = (await users.findOrCreateUser(identity, nothing)).user;
      const authTime = Math.floor(Date.now() / 1000);
      const cancel = async (): Promise<boolean> => {
        if (how === 'erase') return administration.erase(userId, order);
        await administration.close(userId, authTime - 1, order);
        return (await administration.eraseDue(order)).erased > 0;
      };

      const [refreshed, again] = await Promise.all([
        // A refresh asks once whether the login counts, and then signs whatever becomes of it.
        jittered(() => revocations.statusOf({ userId, loginId: 'l', authTime })),
        jittered(() =>
          users.findOrCreateUser({ ...identity, unionid: 'u' }, { ...nothing, username: '小明' }),
        ),
        jittered(cancel),
        jittered(cancel),
        jittered(() => changes.changeProfile(userId, { username: '小红', sex: 1 })),
        jittered(() => changes.bindPhone(userId, phone)),
        jittered(() => administration.clear(userId, ['username', 'phone'], order)),
        jittered(() => revocations.revokeAllTokens(userId)),
      ]);
      // Whoever was in the way of both may have outlasted them.
      await cancel();

      expect(await table.item(userId), `round ${round}`).toBeUndefined();
      expect(['active', 'token_revoked', undefined]).toContain(refreshed);
      for (const sid of ['l', 'another'])
        expect(await revocations.statusOf({ userId, loginId: sid, authTime: authTime + 3600 })).toBe(
          'token_revoked',
        );
      const guard = await table.item(openidGuardKey(appid, openid));
      if (guard !== undefined) {
        const { user, isNew } = again ?? {};
        expect([guard.user_id, isNew]).toEqual([user?.userId, true]);
        expect(userFromItem(await table.item(String(guard.user_id)))).toMatchObject({
          openid,
          username: '小明',
        });
      }
    };
    // Much of a round is waiting.
    for (let first = 0; first < rounds; first += AT_ONCE)
      await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => race(first + index)));

    const items = await table.items();
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
