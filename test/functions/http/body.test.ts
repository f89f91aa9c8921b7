import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { MAX_BODY_BYTES, readBody as readBodyBy } from '../../../functions/http/body.ts';

/** Every member of the body, whatever it is. */
const readBody = (event: Parameters<typeof readBodyBy>[0]) =>
  readBodyBy(
    event,
    v.custom<Record<string, unknown>>(() => true),
  );

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
    const inGbk = Buffer.from([0xd0, 0xa1, 0xc3, 0xf7]);
    const bodies = [
      [0x7b, 0xff, 0xfe, 0x7d],
      [...Buffer.from('{"nickname":"'), ...inGbk, ...Buffer.from('"}')],
    ];

    for (const body of bodies)
      expect(() => readBody(json(base64(Buffer.from(body)), true))).toThrow(
        expect.objectContaining({ code: 'invalid_request', reason: 'the body is not UTF-8' }),
      );
  });

  it('refuses a form whose percent-encoded bytes are not UTF-8', () => {
    for (const body of [
      'code=x&nickname=%ff',
      'code=x&%ff=1',
      'nickname=%C3%28',
      'nickname=%EF%BF%BD%ff',
      'nickname=%E5%B0',
      'nickname=\ufffd%D0%A1%C3',
    ])
      expect(() => readBody(form(body))).toThrow(
        expect.objectContaining({ code: 'invalid_request', reason: 'the body is not UTF-8' }),
      );
  });

  it('reads U+FFFD, which a person may have in their name, like any character', () => {
    const name = { nickname: 'a\ufffd' };

    for (const event of [
      json('{"nickname":"a\ufffd"}'),
      json('{"nickname":"a\\ufffd"}'),
      json(base64('{"nickname":"a\ufffd"}'), true),
      form('nickname=a%EF%BF%BD'),
      form('nickname=a%ef%bf%bd'),
      form('nickname=a\ufffd'),
    ])
      expect(readBody(event)).toEqual(name);
  });

  it('refuses every charset but UTF-8', () => {
    const typed = (type: string) => ({
      body: '{}',
      isBase64Encoded: false,
      headers: { 'content-type': type },
    });

    for (const charset of ['utf-8', 'UTF-8', 'utf8', '"utf-8"'])
      for (const type of [
        `application/json;charset=${charset}`,
        `application/json ; a=b; Charset=${charset} `,
      ])
        expect(readBody(typed(type))).toEqual({});
    for (const charset of [
      'gbk',
      'GB2312',
      'iso-8859-1',
      'us-ascii',
      'utf-16',
      'utf-7',
      '',
      '"gbk"',
      'utf-8"',
    ])
      for (const type of ['application/json', 'application/x-www-form-urlencoded'])
        expect(() => readBody(typed(`${type}; charset=${charset}`))).toThrow(
          expect.objectContaining({
            code: 'unsupported_media_type',
            detail: { zh: 'charset必须是utf-8', en: 'charset must be utf-8' },
          }),
        );
    for (const type of [
      'charset=utf-8; charset=gbk',
      'charset =gbk',
      'charset\t= gbk',
      'charset',
      'charset=utf-8=',
    ])
      expect(() => readBody(typed(`application/json; ${type}`)), type).toThrow();
    expect(readBody(typed('application/json; charset = utf-8'))).toEqual({});
  });

  it('takes the words undefined and null in a form for absence, and in JSON for words', () => {
    expect(readBody(form('sex=null&nickname=undefined&appid=null&code=undefined'))).toEqual({});
    expect(readBody(form('code=undefined&code=0abc&nickname=NULL&a=nullable'))).toEqual({
      code: '0abc',
      nickname: 'NULL',
      a: 'nullable',
    });
    expect(readBody(json('{"nickname":"null","code":"undefined"}'))).toEqual({
      nickname: 'null',
      code: 'undefined',
    });
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
