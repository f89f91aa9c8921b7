import { expect, it } from 'vitest';
import { readLoginCode } from '../../../functions/login/login-code.ts';

it('accepts whatever is printable, without spaces, up to 256 characters', () => {
  for (const code of ['0', '0a3Xy', 'a&appid=x#%2F', '~!@', 'x'.repeat(256)]) {
    expect(readLoginCode(code)).toBe(code);
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
  expect(() => readLoginCode(value)).toThrow(expect.objectContaining({ code }));
});
