import { describe, expect, it } from 'vitest';
import { type User, userFromItem, userToItem } from '../../../functions/users/user.ts';

const user: User = {
  userId: 'c0ffee00-0000-4000-8000-000000000000',
  appid: 'wx0123456789abcdef',
  openid: 'oSECRET',
  unionid: 'oUNION',
  username: '小明',
  sex: 2,
  avatar: 'https://a.example/1.png',
  status: 'active',
  createdAt: 1_700_000_000,
  lastLoginAt: 1_700_000_001,
  tokensValidAfter: 1_700_000_002,
  phone: { e164: '+8613800000000', countryCode: '86', boundAt: 1_700_000_003, codeHash: 'hash-of-a-code' },
};

describe('a user item', () => {
  it('a user item becomes the user it was made of', () => {
    const { unionid: _, tokensValidAfter: __, phone: ___, createdAt: ____, ...least } = user;

    expect(userFromItem(userToItem(user))).toEqual(user);
    expect(userFromItem(userToItem(least))).toEqual(least);
  });

  it('a user item holds no member that its user does not have', () => {
    const item = userToItem({ ...user, is_admin: true, pk: 'other' } as User);

    expect(item).not.toHaveProperty('is_admin');
    expect(item.pk).toBe(user.userId);
  });

  it('a damaged user item is refused, naming the attribute and no value', () => {
    const item = userToItem(user);
    const damages: [string, unknown][] = [
      ['pk', ''],
      ['openid', undefined],
      ['appid', 7],
      ['status', 'oSECRET'],
      ['sex', '2'],
      ['username', null],
      ['last_login_at', '1700000000'],
      ['last_login_at', -1],
      ['tokens_valid_after', 'oSECRET'],
      ['tokens_valid_after', 1.5],
    ];
    for (const [attribute, value] of damages) {
      const read = () => userFromItem({ ...item, [attribute]: value });
      expect(read).toThrow(`A user item of the table is damaged: ${attribute}`);
      expect(read).not.toThrow(/oSECRET/);
    }
    for (const nothing of [undefined, null, 'oSECRET', []])
      expect(() => userFromItem(nothing)).toThrow('damaged');
  });
});
