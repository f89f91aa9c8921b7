import { describe, expect, it } from 'vitest';
import { parseProfile } from '../../../functions/contracts/http/profile.ts';
import { profileChanges } from '../../../functions/contracts/http/profile-changes.ts';
import { readBody } from '../../../functions/http/body.ts';

const parseProfileChanges = (body: Record<string, unknown>) =>
  readBody({ body: JSON.stringify(body), isBase64Encoded: false, headers: {} }, profileChanges);

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

  it('takes a placeholder with invisible characters around it or in it for an empty name', () => {
    for (const nickname of [
      '\u200b微信用户',
      '微信用户\ufeff',
      '\u2060 微信用户 \u200d',
      '微信\u200b用户',
      '\u202e微信用户',
    ])
      expect(parseProfile({ nickname }).username).toBe('');
  });

  it('keeps of a nickname what can be shown', () => {
    const cleaned = [
      ['a\nb', 'ab'],
      ['a\r\nSet-Cookie: x=1', 'aSet-Cookie: x=1'],
      ['a\tb', 'ab'],
      ['a\0b', 'ab'],
      ['a\u001b[31mb', 'a[31mb'],
      ['a\u007fb', 'ab'],
      ['a\u0085b', 'ab'],
      ['a\u2028b\u2029', 'ab'],
      ['\u0007 小明 \u0007', '小明'],
      ['a\udc00b', 'ab'],
      ['小明\ud83d', '小明'],
      ['\ud83d\0\udd8a', ''],
      ['\ud83d🦊\udd8a', '🦊'],
      ...[...'\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069'].map((control) => [
        `${control}gpj.小明`,
        'gpj.小明',
      ]),
    ];
    for (const [nickname, kept] of cleaned) expect(parseProfile({ nickname }).username).toBe(kept);
  });

  it('cuts a nickname after 64 code points, and none of them in two', () => {
    expect(parseProfile({ nickname: 'x'.repeat(65) }).username).toBe('x'.repeat(64));
    expect(parseProfile({ nickname: '🦊'.repeat(65) }).username).toBe('🦊'.repeat(64));
    expect(parseProfile({ nickname: `x${'🦊'.repeat(64)}` }).username).toBe(`x${'🦊'.repeat(63)}`);
    expect(parseProfile({ nickname: `${'\0'.repeat(64)}小明` }).username).toBe('小明');
    expect(parseProfile({ nickname: `${'x'.repeat(63)} y` }).username).toBe('x'.repeat(63));
    expect(parseProfile({ nickname: family.repeat(10) }).username).toBe(
      [...family.repeat(10)].slice(0, 64).join(''),
    );
    expect(parseProfile({ nickname: '名'.repeat(5_000) }).username).toBe('名'.repeat(64));
  });

  it('leaves out a nickname that is no text, shows as nothing, or has lost characters on the way', () => {
    const useless = [
      0,
      12345,
      Number.NaN,
      true,
      {},
      [],
      ['小明'],
      { toString: () => 'x' },
      () => 'x',
      '\0',
      '\ud800',
      '\udc00\ud800',
      '🦊'.slice(0, 1),
      '\u200b',
      '\u200b\u200c\u200d\u2060\ufeff',
      ' \u3000\u00a0\u00ad',
      '\u3164\u115f\uffa0\u2800',
      '\u202e\u2066',
      '\u{e0020}\ufe0f',
      '\ufffd',
      'С\ufffd\ufffd',
    ];
    for (const nickname of useless)
      expect(parseProfile({ nickname, sex: 1 })).toEqual({ username: '', sex: 1, avatar: '' });
  });

  it('keeps the joiners that make one letter or picture of several', () => {
    for (const nickname of [family, 'می\u200cخواهم', '❤\ufe0f', 'क्\u200dष'])
      expect(parseProfile({ nickname }).username).toBe(nickname);
  });

  it('knows sex as 0, 1 or 2, number or text, and takes all else for unknown', () => {
    for (const sex of [0, 1, 2, '0', '1', '2', -0, 1.0])
      expect(parseProfile({ sex }).sex).toBe(Math.abs(Number(sex)));
    const useless = [
      3,
      -1,
      0.5,
      1e308,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      2n,
      'NaN',
      'male',
      '男',
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
    for (const sex of useless) expect(parseProfile({ sex }).sex).toBe(0);
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
      0,
      true,
      {},
      ['https://a.example/1.png'],
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
      'https://a.example/\ufffd',
      'https://a.example/\u202egnp.1',
      'https://a.example:99999/',
      start + 'x'.repeat(2_049 - start.length),
    ];
    for (const avatar of hostile)
      expect(parseProfile({ nickname: '小明', avatar })).toEqual({ username: '小明', sex: 0, avatar: '' });
  });
});

describe('profileChanges', () => {
  it('takes the members that the body names, in both spellings, without the white space around them', () => {
    const avatar = 'https://a.example/1.png';

    expect(parseProfileChanges({ nickname: ' 小明\n' })).toEqual({ username: '小明' });
    expect(parseProfileChanges({ nickName: family, gender: '2' })).toEqual({ username: family, sex: 2 });
    expect(parseProfileChanges({ avatarUrl: ` ${avatar}`, sex: 0 })).toEqual({ avatar, sex: 0 });
    expect(parseProfileChanges({ nickname: null, nickName: 'a', other: 1 })).toEqual({ username: 'a' });
    expect(parseProfileChanges({ nickname: '字'.repeat(64) })).toEqual({ username: '字'.repeat(64) });
  });

  it('clears what is named with an empty text', () => {
    expect(parseProfileChanges({ nickname: '', sex: '', avatar: ' ' })).toEqual({
      username: '',
      sex: 0,
      avatar: '',
    });
  });

  it.each<[string, Record<string, unknown>]>([
    ['nickname', { nickname: 'a'.repeat(65) }],
    ['nickname', { nickname: 'a\u0000b' }],
    ['nickname', { nickname: 'a\u202eb' }],
    ['nickname', { nickname: '\ud800' }],
    ['nickname', { nickname: 'a\ufffd' }],
    ['nickname', { nickname: '微信用户' }],
    ['nickname', { nickname: '\u200d\u2800' }],
    ['nickname', { nickname: 7 }],
    ['nickname', { nickname: ['a'] }],
    ['sex', { sex: 3 }],
    ['sex', { sex: true }],
    ['sex', { sex: [1] }],
    ['sex', { sex: 'male' }],
    ['avatar', { avatar: 'http://a.example/1.png' }],
    ['avatar', { avatar: 'wxfile://tmp_x.png' }],
    ['avatar', { avatar: 1 }],
    ['avatar', { nickname: '小明', avatar: `https://a.example/${'x'.repeat(2_048)}` }],
    ['at least one', {}],
    ['at least one', { nickname: null, name: '小明' }],
  ])('refuses by name what a login would leave out (%s): %j', (named, body) => {
    const refused = expect(() => parseProfileChanges(body));

    refused.toThrow(expect.objectContaining({ code: 'invalid_request' }));
    refused.toThrow(named);
  });
});
