import { describe, expect, it } from 'vitest';
import { MAX_BODY_BYTES, readBody } from '../../../functions/http/body.ts';

const json = (body: string | null, isBase64Encoded = false) => ({
  body,
  isBase64Encoded,
  headers: { 'content-type': 'application/json' },
});
const form = (body: string) => ({
  body,
  isBase64Encoded: false,
  headers: { 'Content-Type': 'application/x-www-form-urlencoded; charset=UTF-8' },
});
const base64 = (bytes: string | Buffer) => Buffer.from(bytes).toString('base64');

describe('readBody', () => {
  it('reads JSON, forms and base64-encoded bodies alike', () => {
    expect(readBody(json('{"code":"0abc","nickName":"小明"}'))).toEqual({ code: '0abc', nickName: '小明' });
    expect(readBody(form('code=0abc&nickName=%E5%B0%8F%E6%98%8E'))).toEqual({
      code: '0abc',
      nickName: '小明',
    });
    expect(readBody(json(base64('{"code":"0abc"}'), true))).toEqual({ code: '0abc' });
  });

  it('takes a body without a content type for JSON', () => {
    expect(readBody({ body: '{"code":"x"}', isBase64Encoded: false, headers: {} })).toEqual({ code: 'x' });
  });

  it.each([null, '', '  \n'])('finds no members in an empty body (%j)', (body) => {
    expect(readBody(json(body))).toEqual({});
  });

  it.each(['[]', '[{"code":"x"}]', '5', '"code"', 'null', 'true', '{', '{"code":}', 'code=x', '\u0000'])(
    'refuses %j as invalid_request',
    (body) => {
      expect(() => readBody(json(body))).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    },
  );

  it('never repeats the body in the error', () => {
    try {
      readBody(json('{"code":"0secretsecret", oops'));
      expect.unreachable();
    } catch (error) {
      expect(JSON.stringify(error) + String(error) + String((error as Error).cause)).not.toContain('secret');
    }
  });

  it('refuses bytes that are not UTF-8', () => {
    const body = base64(Buffer.from([0x7b, 0xff, 0xfe, 0x7d]));

    expect(() => readBody(json(body, true))).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });

  it('refuses the replacement characters that API Gateway or a form makes of bytes that are not UTF-8', () => {
    const garbled = Buffer.from('{"nickname":"\u00ff"}', 'latin1').toString('utf8');

    for (const event of [json(garbled), form('code=x&nickname=%ff')])
      expect(() => readBody(event)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    expect(readBody(json('{"nickname":"\\ufffd"}'))).toEqual({ nickname: '\ufffd' });
  });

  it('measures the limit in bytes, not characters', () => {
    const fits = `{"a":"${'x'.repeat(MAX_BODY_BYTES - 8)}"}`;
    const tooLarge = `{"a":"${'小'.repeat(MAX_BODY_BYTES / 3)}"}`;

    expect(Buffer.byteLength(fits)).toBe(MAX_BODY_BYTES);
    expect(readBody(json(fits))).toHaveProperty('a');
    expect(() => readBody(json(tooLarge))).toThrow(expect.objectContaining({ code: 'payload_too_large' }));
  });

  it.each(['text/plain', 'multipart/form-data; boundary=x', 'application/xml', 'application/jsonp', ''])(
    'refuses content type %j',
    (contentType) => {
      expect(() =>
        readBody({ body: '{}', isBase64Encoded: false, headers: { 'content-type': contentType } }),
      ).toThrow(expect.objectContaining({ code: 'unsupported_media_type' }));
    },
  );

  it('refuses a form field that is given twice', () => {
    expect(() => readBody(form('code=a&code=b'))).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    );
  });

  it('takes a member called __proto__ for a member and nothing else', () => {
    for (const body of [
      readBody(json('{"__proto__":{"code":"x"},"constructor":1}')),
      readBody(form('__proto__=x&constructor=1')),
    ]) {
      expect(body.code).toBeUndefined();
      expect(Object.getPrototypeOf(body)).toBeNull();
    }
    expect(({} as Record<string, unknown>).code).toBeUndefined();
  });
});
