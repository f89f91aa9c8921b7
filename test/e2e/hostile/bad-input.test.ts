import { afterAll, expect, it } from 'vitest';
import {
  type Answer,
  call,
  expectCleanLogs,
  keepSecret,
  newOpenid,
  post,
  wechatCalls,
  wxLogin,
} from '../service.ts';

afterAll(expectCleanLogs);

const marked = keepSecret('0MarkedCodeThatMustNotBeLogged');

it.each<[string, string | undefined, string, number, string]>([
  ['no body', undefined, 'application/json', 400, 'missing_code'],
  ['an empty body', '', 'application/json', 400, 'missing_code'],
  ['an empty object', '{}', 'application/json', 400, 'missing_code'],
  ['an empty code', '{"code":""}', 'application/json', 400, 'missing_code'],
  ['a null code', '{"code":null}', 'application/json', 400, 'missing_code'],
  ['an empty form', 'nickname=x', 'application/x-www-form-urlencoded', 400, 'missing_code'],
  ['only __proto__', `{"__proto__":{"code":"${marked}"}}`, 'application/json', 400, 'missing_code'],
  ['an array', `["${marked}"]`, 'application/json', 400, 'invalid_request'],
  ['a number', '5', 'application/json', 400, 'invalid_request'],
  ['a string', `"${marked}"`, 'application/json', 400, 'invalid_request'],
  ['null', 'null', 'application/json', 400, 'invalid_request'],
  ['broken JSON', `{"code":"${marked}"`, 'application/json', 400, 'invalid_request'],
  ['a number as code', '{"code":12345}', 'application/json', 400, 'invalid_request'],
  ['an object as code', `{"code":{"code":"${marked}"}}`, 'application/json', 400, 'invalid_request'],
  ['an array as code', `{"code":["${marked}"]}`, 'application/json', 400, 'invalid_request'],
  ['a code with a newline', `{"code":"${marked}\\n"}`, 'application/json', 400, 'invalid_request'],
  ['a code with a space', `{"code":"${marked} x"}`, 'application/json', 400, 'invalid_request'],
  ['a code of 257 characters', `{"code":"${'x'.repeat(257)}"}`, 'application/json', 400, 'invalid_request'],
  ['the mock code', '{"code":"the code is a mock one"}', 'application/json', 401, 'invalid_code'],
  [
    'an appid that is not served',
    `{"code":"${marked}","appid":"wxffffffffffffffff"}`,
    'application/json',
    400,
    'invalid_request',
  ],
  [
    '17 KiB',
    `{"code":"${marked}","nickname":"${'x'.repeat(17 * 1024)}"}`,
    'application/json',
    413,
    'payload_too_large',
  ],
  [
    'a form of absent members',
    'sex=null&nickname=undefined&appid=null&code=undefined',
    'application/x-www-form-urlencoded',
    400,
    'missing_code',
  ],
  [
    'a form with bytes that are not UTF-8',
    `code=${marked}&nickname=%D0%A1%C3%F7`,
    'application/x-www-form-urlencoded',
    400,
    'invalid_request',
  ],
  ['a body in GBK', `{"code":"${marked}"}`, 'application/json; charset=gbk', 415, 'unsupported_media_type'],
  ['text', `code=${marked}`, 'text/plain', 415, 'unsupported_media_type'],
  ['XML', '<code/>', 'application/xml', 415, 'unsupported_media_type'],
])('%s is refused without asking WeChat', async (_name, body, contentType, status, error) => {
  const before = await wechatCalls();

  const answer = await call('/member/login', {
    method: 'POST',
    headers: { 'content-type': contentType },
    ...(body !== undefined && { body }),
  });

  expect(answer.body).toMatchObject({ code: status, error });
  expect(answer.body.msg).not.toContain(marked);
  expect(await wechatCalls()).toBe(before);
});

it('refuses bytes that are not UTF-8', async () => {
  for (const bytes of [
    Buffer.from([0xff, 0xfe, 0xfd]),
    Buffer.concat([Buffer.from('{"code":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]),
  ]) {
    const answer = await postBytes(bytes);
    expect(answer.body).toMatchObject({ code: 400, error: 'invalid_request' });
  }
});

it('keeps no name whose bytes were not UTF-8, and makes no other name of it', async () => {
  const code = await wxLogin();
  const nickname = Buffer.from([0xd0, 0xa1, 0xc3, 0xf7]); // 小明 in GBK

  const { body } = await postBytes(
    Buffer.concat([Buffer.from(`{"code":"${code}","nickname":"`), nickname, Buffer.from('"}')]),
  );

  expect(body).toMatchObject({ code: 200, data: { username: '', is_new: true } });
});

it('refuses a Referer of a mini-program that is not served, without asking WeChat', async () => {
  const before = await wechatCalls();
  const unknown = keepSecret('wxffffffffffffffff');

  const { body } = await post(
    '/member/login',
    { code: marked },
    { referer: `https://servicewechat.com/${unknown}/7/page-frame.html`, 'accept-language': 'en' },
  );

  expect(body).toMatchObject({ code: 400, error: 'invalid_request' });
  expect(body.msg).toContain('the Referer names a mini-program that this service does not serve');
  expect(body.msg).not.toContain(unknown);
  expect(await wechatCalls()).toBe(before);
});

it('sends a code with & and = to WeChat as one code, and to nobody else', async () => {
  const before = await wechatCalls();

  const answer = await post('/member/login', { code: keepSecret('0abcdef&appid=wxffffffffffffffff&x=#%26') });

  expect(answer.body).toMatchObject({ code: 401, error: 'invalid_code' });
  expect(await wechatCalls()).toBe(before + 1);
});

/** Each with what is kept of it; what is not named is kept empty. */
const oddProfiles: [Record<string, unknown>, { username?: string; sex?: number; avatar?: string }][] = [
  [{ nickname: 'a\u0000b\u0007\u001b[0m' }, { username: 'ab[0m' }],
  [{ nickname: 'a\nb\u2028c' }, { username: 'abc' }],
  [{ nickname: '小\ud83d明' }, { username: '小明' }],
  [{ nickname: '\u202egpj.\u2066小明' }, { username: 'gpj.小明' }],
  [{ nickname: '名'.repeat(65) }, { username: '名'.repeat(64) }],
  [{ nickname: '🦊'.repeat(65) }, { username: '🦊'.repeat(64) }],
  [{ nickname: 'x'.repeat(15_000) }, { username: 'x'.repeat(64) }],
  [{ nickname: 'a\ufffdb' }, {}],
  [{ nickname: '\u200b\u2060\u3164' }, {}],
  [{ nickname: '\u200b微信用户' }, {}],
  [{ nickname: 'null' }, { username: 'null' }],
  ...[5, true, {}, ['小明']].map((nickname): (typeof oddProfiles)[number] => [{ nickname }, {}]),
  ...['男', true, 3, '', -1, {}, [1]].map((gender): (typeof oddProfiles)[number] => [{ gender }, {}]),
  ...[0, {}, [1], 'wxfile://tmp_1.png', `https://a.example/${'x'.repeat(3 * 1024)}`].map(
    (avatarUrl): (typeof oddProfiles)[number] => [{ avatarUrl, sex: 2 }, { sex: 2 }],
  ),
];

it('logs everybody in, however odd their profile, and keeps what can be kept', async () => {
  for (const [odd, kept] of oddProfiles) {
    const { body } = await post('/member/login', { code: await wxLogin(), ...odd });
    expect(body, JSON.stringify(odd)).toMatchObject({
      code: 200,
      data: { is_new: true, username: '', sex: 0, avatar: '', ...kept },
    });
  }
});

it('logs in with a form whose optional members are absent', async () => {
  const answer = await call('/member/login', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `sex=null&nickname=undefined&avatar=null&appid=null&code=${await wxLogin()}`,
  });

  expect(answer.body).toMatchObject({ code: 200, data: { username: '', sex: 0, avatar: '' } });
});

it('fills a profile that was empty at the first login, and keeps it from then on', async () => {
  const openid = newOpenid();
  const logInWith = async (profile: object) => {
    const { body } = await post('/member/login', { code: await wxLogin({ openid }), ...profile });
    return body.data;
  };

  const first = await logInWith({ nickname: '微信用户' });
  const second = await logInWith({ nickname: '小明', avatar: 'https://a.example/1.png' });
  const third = await logInWith({ nickname: '别人', sex: 1 });

  expect(first).toMatchObject({ is_new: true, username: '', sex: 0, avatar: '' });
  expect(second).toMatchObject({ is_new: false, username: '小明', avatar: 'https://a.example/1.png' });
  expect(third).toMatchObject({ user_id: first.user_id, username: '小明', sex: 1 });
});

function postBytes(body: Buffer<ArrayBuffer>): Promise<Answer> {
  return call('/member/login', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
}
