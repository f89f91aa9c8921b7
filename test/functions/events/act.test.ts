import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createAct } from '../../../functions/events/act.ts';
import type { PersonalData, PushEvent } from '../../../functions/events/push-event.ts';
import { createRevocations } from '../../../functions/tokens/revocations.ts';
import { createAdministration } from '../../../functions/users/administer.ts';
import { createUserChanges } from '../../../functions/users/change.ts';
import { createUsers } from '../../../functions/users/find-or-create.ts';
import { startUsersTable, type UsersTable } from '../../fixtures/users-table.ts';

const START = Date.UTC(2026, 0, 1);
const appid = 'wx1';

let table: UsersTable;
beforeAll(async () => {
  table = await startUsersTable();
});
afterAll(() => table.stop());

let people = 0;

/** Somebody with a name, a picture and a number, and what acts on events about them. */
async function setUp() {
  const openid = `o${String(++people).padStart(27, '0')}`;
  const shared = { client: table.client, tableName: table.tableName, now: () => START };
  const users = createUsers(shared);
  const profile = { username: '小明', sex: 1, avatar: 'https://a.example/1.png' } as const;
  const { userId } = (await users.findOrCreateUser({ appid, openid }, profile)).user;
  await createUserChanges(shared).bindPhone(userId, {
    ...{ e164: '+8613800138000', countryCode: '86' },
    ...{ boundAt: START / 1000, codeHash: 'hash' },
  });
  const administration = createAdministration({ ...shared, revocations: createRevocations(shared) });
  const onErased = vi.fn();
  const about = { appid, openid, createdAt: START / 1000, identity: 'i' };
  return { act: createAct({ administration, onErased }), administration, onErased, userId, about };
}

const revoked = (...what: PersonalData[]) => ({ name: 'user_authorization_revoke', revoked: what }) as const;

describe('an event', () => {
  it.each<[string, Partial<PushEvent>, object, string]>([
    [
      'empties name and picture of a risky profile',
      { name: 'user_info_modified' },
      { username: '', avatar: '', phone: '+86' },
      'user_info_modified: username, avatar',
    ],
    [
      'takes the name away',
      revoked('nickname'),
      { username: '', avatar: 'https', phone: '+86' },
      'user_authorization_revoke: username',
    ],
    [
      'takes the number away',
      revoked('phone'),
      { username: '小明', avatar: 'https', phone: undefined },
      'user_authorization_revoke: phone',
    ],
    [
      'takes all away',
      revoked('nickname', 'avatar', 'phone', 'email'),
      { username: '', avatar: '', phone: undefined },
      'user_authorization_revoke: username, avatar, phone',
    ],
  ])('%s, and is recorded', async (_, event, left, reason) => {
    const { act, administration, userId, about } = await setUp();

    await act({ ...about, ...event } as PushEvent);

    const user = await administration.findByUserId(userId);
    expect({
      username: user?.username,
      avatar: user?.avatar.slice(0, 5),
      phone: user?.phone?.e164.slice(0, 3),
    }).toEqual(left);
    expect(user?.sex).toBe(1);
    expect(await administration.changesOf(userId)).toEqual([
      { at: START / 1000, what: 'clear', by: 'wechat', reason },
    ]);
  });

  it('about data that is not held changes and records nothing', async () => {
    const { act, administration, userId, about } = await setUp();
    const before = await administration.findByUserId(userId);

    await act({ ...about, ...revoked('email') });

    expect(await administration.findByUserId(userId)).toEqual(before);
    expect(await administration.changesOf(userId)).toEqual([]);
  });

  it('erases whoever has cancelled their account at WeChat, once', async () => {
    const { act, administration, onErased, userId, about } = await setUp();
    const event = { ...about, name: 'user_authorization_cancellation' } as const;

    await act(event);
    await act(event);

    expect(await administration.findByUserId(userId)).toBeUndefined();
    expect(await administration.changesOf(userId)).toMatchObject([{ what: 'erase', by: 'wechat' }]);
    expect(onErased).toHaveBeenCalledTimes(1);
  });

  it.each([{ name: 'user_authorization_cancellation' }, { name: 'user_info_modified' }, revoked('phone')])(
    'of before the user leaves the user alone: %j',
    async (event) => {
      const { act, administration, userId, about } = await setUp();
      const before = await administration.findByUserId(userId);

      await act({ ...about, ...event, createdAt: about.createdAt - 1 } as PushEvent);

      expect(await administration.findByUserId(userId)).toEqual(before);
    },
  );

  it('about nobody does nothing', async () => {
    const { act, onErased, about } = await setUp();

    await act({ ...about, openid: 'oNobody', name: 'user_authorization_cancellation' });

    expect(onErased).not.toHaveBeenCalled();
  });
});
