import { describe, expect, it } from 'vitest';
import { DomainError } from '../../../functions/errors/domain-error.ts';
import { parseProfile } from '../../../functions/users/profile.ts';

const refusal = (body: Record<string, unknown>): DomainError => {
  try {
    parseProfile(body);
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error(`accepted: ${JSON.stringify(body)}`);
};

const family = '👨‍👩‍👧‍👦';

describe('parseProfile', () => {
  it('answers an empty profile when nothing is given', () => {
    for (const body of [
      {},
      { nickname: null, sex: null, avatar: null },
      { nickName: undefined },
      { code: 'x' },
    ])
      expect(parseProfile(body)).toEqual({ username: '', sex: 0, avatar: '' });
  });

  it('knows both spellings of every member', () => {
    const profile = { username: '小明', sex: 1, avatar: 'https://a.example/1.png' };

    expect(parseProfile({ nickname: '小明', sex: 1, avatar: 'https://a.example/1.png' })).toEqual(profile);
    expect(parseProfile({ nickName: '小明', gender: 1, avatarUrl: 'https://a.example/1.png' })).toEqual(
      profile,
    );
  });

  it('takes the first spelling that is present and not null', () => {
    const both = { nickname: 'a', nickName: 'b', sex: 1, gender: 2 };

    expect(parseProfile(both)).toMatchObject({ username: 'a', sex: 1 });
    expect(parseProfile({ ...both, nickname: null, sex: null })).toMatchObject({ username: 'b', sex: 2 });
  });

  it('reads only the body itself, never what it inherits', () => {
    const polluted = JSON.parse('{"__proto__": {"nickname": "evil", "sex": 9}, "constructor": 1}');

    expect(parseProfile(polluted)).toEqual({ username: '', sex: 0, avatar: '' });
    expect(parseProfile(Object.create({ nickname: 'inherited' }))).toMatchObject({ username: '' });
    expect(Object.hasOwn(Object.prototype, 'nickname')).toBe(false);
  });

  it('keeps any Unicode nickname of up to 64 code points, trimmed', () => {
    const names = [
      '小明',
      'مرحبا بالعالم',
      'שלום',
      '🦊'.repeat(64),
      family.repeat(9),
      '𝓑𝓪𝓷𝓭',
      'é',
      "Robert'); DROP TABLE users;--",
      '<script>alert(1)</script>',
      '__proto__',
      'x'.repeat(64),
      '',
    ];
    for (const name of names) expect(parseProfile({ nickname: name }).username).toBe(name);
    expect(parseProfile({ nickname: ' \u3000\n小明\r\n ' }).username).toBe('小明');
    expect(parseProfile({ nickname: ` ${'x'.repeat(64)} ` }).username).toBe('x'.repeat(64));
  });

  it('stores the placeholder WeChat hands out as an empty name', () => {
    for (const placeholder of ['微信用户', ' 微信用户 '])
      expect(parseProfile({ nickName: placeholder }).username).toBe('');
    expect(parseProfile({ nickName: '微信用户1' }).username).toBe('微信用户1');
  });

  it('refuses nicknames that are no text, too long, hold control characters or half a character', () => {
    const hostile = [
      0,
      12345,
      Number.NaN,
      true,
      {},
      [],
      ['小明'],
      { toString: () => 'x' },
      () => 'x',
      '🦊'.repeat(65),
      family.repeat(10),
      'x'.repeat(16_000),
      'a\nb',
      'a\r\nSet-Cookie: x=1',
      'a\tb',
      'a\0b',
      '\0',
      'a\u001b[31mb',
      'a\u007fb',
      'a\u0085b',
      'a\u2028b',
      'a\u2029b',
      '\ud800',
      'a\udc00b',
      '\udc00\ud800',
      '🦊'.slice(0, 1),
    ];
    for (const nickname of hostile) expect(refusal({ nickname }).code).toBe('invalid_request');
  });

  it('knows sex as 0, 1 or 2, number or text, and refuses all else', () => {
    for (const sex of [0, 1, 2, '0', '1', '2', -0, 1.0])
      expect(parseProfile({ sex }).sex).toBe(Math.abs(Number(sex)));
    const hostile = [
      3,
      -1,
      0.5,
      1e308,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      2n,
      'NaN',
      'male',
      ' 1',
      '01',
      '1.0',
      '1e0',
      '0x1',
      '٢',
      true,
      [1],
      { valueOf: () => 1 },
    ];
    for (const sex of hostile) expect(refusal({ sex }).code).toBe('invalid_request');
  });

  it('takes an empty field of a form for a choice left open', () => {
    expect(parseProfile({ sex: '' }).sex).toBe(0);
    expect(parseProfile({ gender: '' }).sex).toBe(0);
  });

  it('keeps an https avatar of up to 2,048 characters', () => {
    const start = 'https://a.example/';
    const avatars = [
      'https://thirdwx.qlogo.cn/mmopen/vi_32/POgEwh4mIHO4nibH0KlMECNjjGxQUq24ZEaGT4poC6icRiccVGKSyXwibcPq4BWmiaIGuG1icwxaQX6grC9VemZoJ8rg/132',
      'HTTPS://A.example/x.png?size=1&v=%E5%A4%B4#f',
      'https://例子.测试/头像.png',
      start + 'x'.repeat(2_048 - start.length),
    ];
    for (const avatar of avatars) expect(parseProfile({ avatar }).avatar).toBe(avatar);
    expect(parseProfile({ avatar: ' https://a.example/1.png\n' }).avatar).toBe('https://a.example/1.png');
  });

  it('leaves out an avatar that is no such URL, and still takes the rest', () => {
    const start = 'https://a.example/';
    const hostile = [
      '',
      'not a url',
      'http://a.example/1.png',
      'javascript:alert(1)',
      'java\nscript:alert(1)',
      'data:image/png;base64,AAAA',
      'wxfile://tmp_x.png',
      '//a.example/1.png',
      '/1.png',
      'https:a.example',
      'https://',
      'https://user:pass@a.example/',
      'https://user@a.example/',
      'https://a.example/\n1.png',
      'https://a.example/a b',
      'https://a.example/\0',
      'https://a.example/"onerror="alert(1)',
      "https://a.example/'",
      'https://a.example/<script>',
      'https://a.example\\@evil.example/',
      'https://a.example/\ud800',
      'https://a.example:99999/',
      start + 'x'.repeat(2_049 - start.length),
    ];
    for (const avatar of hostile)
      expect(parseProfile({ nickname: '小明', avatar })).toEqual({ username: '小明', sex: 0, avatar: '' });
  });

  it('refuses an avatar that is no text', () => {
    for (const avatar of [1, true, {}, ['https://a.example/1.png']])
      expect(refusal({ avatar }).code).toBe('invalid_request');
  });

  it('names the member as it was sent and the rule in both languages, never the value', () => {
    const cases: [Record<string, unknown>, string][] = [
      [{ nickName: `secret${'x'.repeat(64)}` }, 'nickName'],
      [{ nickname: 'secret\n1' }, 'nickname'],
      [{ nickname: 'secret\ud800' }, 'nickname'],
      [{ gender: 'secret' }, 'gender'],
      [{ avatarUrl: { secret: 1 } }, 'avatarUrl'],
    ];
    for (const [body, member] of cases) {
      const { detail, message, stack } = refusal(body);
      expect(detail?.en.startsWith(`${member} must`)).toBe(true);
      expect(detail?.zh).toMatch(new RegExp(`^${member}\\P{ASCII}`, 'u'));
      expect(`${detail?.en}${detail?.zh}${message}${stack?.split('\n')[0]}`).not.toContain('secret');
    }
  });
});
