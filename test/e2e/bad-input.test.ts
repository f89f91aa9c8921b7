import { afterAll, expect, it } from 'vitest';
import { call, expectCleanLogs, keepSecret, post, wechatCalls, wxLogin } from './service.ts';

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
    'a long nickname',
    `{"code":"${marked}","nickname":"${'名'.repeat(65)}"}`,
    'application/json',
    400,
    'invalid_request',
  ],
  [
    'a nickname with a control character',
    `{"code":"${marked}","nickname":"a\\u0007"}`,
    'application/json',
    400,
    'invalid_request',
  ],
  ['a number as nickname', `{"code":"${marked}","nickname":5}`, 'application/json', 400, 'invalid_request'],
  ['sex 3', `{"code":"${marked}","sex":3}`, 'application/json', 400, 'invalid_request'],
  [
    'an appid that is not served',
    `{"code":"${marked}","appid":"wxffffffffffffffff"}`,
    'application/json',
    400,
    'invalid_request',
  ],
  ['a nested sex', `{"code":"${marked}","gender":{"a":1}}`, 'application/json', 400, 'invalid_request'],
  [
    'an avatar that is no text',
    `{"code":"${marked}","avatar":[1]}`,
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
    Buffer.from(`{"code":"${marked}","nickname":"\u00ff"}`, 'latin1'),
  ]) {
    const answer = await call('/member/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: bytes,
    });
    expect(answer.body).toMatchObject({ code: 400, error: 'invalid_request' });
  }
});

it('sends a code with & and = to WeChat as one code, and to nobody else', async () => {
  const before = await wechatCalls();

  const answer = await post('/member/login', { code: keepSecret('0abcdef&appid=wxffffffffffffffff&x=#%26') });

  expect(answer.body).toMatchObject({ code: 401, error: 'invalid_code' });
  expect(await wechatCalls()).toBe(before + 1);
});

it('loses nothing to a refused profile: the same code works once the profile is right', async () => {
  const code = await wxLogin();

  const refused = await post('/member/login', { code, nickname: 'x'.repeat(65) });
  const accepted = await post('/member/login', { code, nickname: 'x'.repeat(64) });

  expect(refused.body).toMatchObject({
    code: 400,
    error: 'invalid_request',
    msg: expect.stringContaining('nickname'),
  });
  expect(accepted.body.data).toMatchObject({ is_new: true, username: 'x'.repeat(64) });
});
