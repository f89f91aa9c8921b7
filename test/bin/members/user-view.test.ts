import { describe, expect, it } from 'vitest';
import { mask, viewOf } from '../../../bin/members/user-view.ts';

const user = {
  userId: 'c0ffee00-0000-4000-8000-000000000000',
  appid: 'wx0123456789abcdef',
  openid: 'o6_bmjrPTlm6_2sgVt7hMZOPfL2M',
  unionid: 'oGZUI0egBJY1zhBYw2KhdUfwVJJE',
  phone: { e164: '+8613987654321', countryCode: '86', boundAt: 1_767_225_600, codeHash: 'hash-of-a-code' },
  username: '小明',
  sex: 1,
  avatar: '',
  status: 'active',
  createdAt: 1_767_225_600,
  lastLoginAt: 1_767_225_601,
} as const;

describe('a user on the screen', () => {
  it('has openid, unionid and phone masked', () => {
    const view = viewOf(user, [], false);

    expect(view).toMatchObject({ openid: 'o6_b…(28)', unionid: 'oGZU…(28)', phone: '+86 139******21' });
    for (const secret of [user.openid, user.unionid, user.phone.e164])
      expect(JSON.stringify(view)).not.toContain(secret.slice(4));
  });

  it('has nothing masked when that is asked for', () => {
    expect(viewOf(user, [], true)).toMatchObject({
      openid: user.openid,
      unionid: user.unionid,
      phone: '+8613987654321',
    });
  });

  it('says when, in UTC, and what was done', () => {
    const change = { at: 1_767_225_602, what: 'ban', by: 'li', reason: 'spam' } as const;

    expect(viewOf(user, [change], false)).toMatchObject({
      created_at: '2026-01-01T00:00:00.000Z',
      last_login_at: '2026-01-01T00:00:01.000Z',
      changes: [{ at: '2026-01-01T00:00:02.000Z', what: 'ban', by: 'li', reason: 'spam' }],
    });
  });

  it('never shows more than a quarter of an identifier, however short', () => {
    for (const value of ['', '1', '12', '123', '1234', '12345678'])
      expect(mask(value).indexOf('…')).toBeLessThanOrEqual(value.length / 4);
  });
});
