import { expect, it } from 'vitest';
import { loginRequest } from '../../../functions/contracts/http/login-request.ts';
import { phoneRequest } from '../../../functions/contracts/http/phone-request.ts';
import { readBody } from '../../../functions/http/body.ts';

const readCode = (code: unknown, schema: typeof loginRequest | typeof phoneRequest) =>
  readBody({ body: JSON.stringify({ code }), isBase64Encoded: false, headers: {} }, schema).code;

it('accepts whatever is printable, without spaces, up to 256 characters', () => {
  for (const code of ['0', '0a3Xy', 'a&appid=x#%2F', '~!@', 'x'.repeat(256)]) {
    for (const schema of [loginRequest, phoneRequest]) expect(readCode(code, schema)).toBe(code);
  }
});

it.each([
  [undefined, 'missing_code'],
  [null, 'missing_code'],
  ['', 'missing_code'],
  ['the code is a mock one', 'invalid_code'],
  [5, 'invalid_request'],
  [{}, 'invalid_request'],
  [['0abc'], 'invalid_request'],
  [true, 'invalid_request'],
  ['a b', 'invalid_request'],
  ['a\nb', 'invalid_request'],
  ['0abc\n', 'invalid_request'],
  ['0abc\u0000', 'invalid_request'],
  ['代码', 'invalid_request'],
  ['\ud800', 'invalid_request'],
  ['x'.repeat(257), 'invalid_request'],
])('refuses %j as %s', (value, code) => {
  expect(() => readCode(value, loginRequest)).toThrow(expect.objectContaining({ code }));
});

it('of the phone button has no mock', () => {
  expect(() => readCode('the code is a mock one', phoneRequest)).toThrow(
    expect.objectContaining({ code: 'invalid_request' }),
  );
});

it('comes with an appid that is text or absent, in both spellings', () => {
  const appidIn = (members: object) =>
    readBody(
      { body: JSON.stringify({ code: '0abc', ...members }), isBase64Encoded: false, headers: {} },
      loginRequest,
    ).appid;

  for (const members of [{}, { appid: null }, { appid: null, appId: null }])
    expect(appidIn(members)).toBeUndefined();
  for (const members of [{ appid: 'wx1' }, { appId: 'wx1' }, { appid: 'wx1', appId: 'wx2' }])
    expect(appidIn(members)).toBe('wx1');
  for (const appid of [5, {}, ['wx1'], true])
    expect(() => appidIn({ appid })).toThrow(expect.objectContaining({ code: 'invalid_request' }));
});
