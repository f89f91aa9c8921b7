import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGetPhoneNumber } from '../../../functions/wechat/phone-number.ts';
import { appid, connectTo, endToken, otherAppid, setUp } from './token-routes.ts';

const openid = 'oAlice-hush';
const phone = '13912345678';

let service: Awaited<ReturnType<typeof setUp>>;
beforeEach(async () => {
  service = await setUp();
});
afterEach(() => service.close());

const get = (code: string, of = openid) => createGetPhoneNumber(service)({ appid, openid: of, code });
const failureOf = (call: Promise<unknown>, code: string) =>
  service.failureOf(call, code, openid, phone, '99_');

describe('a phone code', () => {
  it('gives the number of the member who tapped the button', async () => {
    const code = service.wechat.issuePhoneCode({ openid, phone });

    expect(await get(code)).toEqual({ e164: '+8613912345678', countryCode: '86' });
  });

  it('gives a foreign number with its country code', async () => {
    const code = service.wechat.issuePhoneCode({ openid, phone: '0612345678', countryCode: '39' });

    expect(await get(code)).toEqual({ e164: '+390612345678', countryCode: '39' });
  });

  it("of somebody else is phone_code_invalid, and stays the other's", async () => {
    const code = service.wechat.issuePhoneCode({ openid: 'oBob', phone });

    expect((await failureOf(get(code), code)).code).toBe('phone_code_invalid');
    expect((await get(code, 'oBob')).e164).toBe(`+86${phone}`);
  });

  it('that is used, expired, unknown or of another mini-program is phone_code_invalid', async () => {
    const used = service.wechat.issuePhoneCode({ openid, phone });
    await get(used);
    const expired = service.wechat.issuePhoneCode({ openid, phone });
    service.clock.ms += 5 * 60_000;
    const foreign = service.wechat.issuePhoneCode({ openid, phone, appid: otherAppid });

    for (const code of [used, expired, foreign, 'hush-nonsense'])
      expect((await failureOf(get(code), code)).code, code).toBe('phone_code_invalid');
  });

  it.each([
    [40029, 'phone_code_invalid'],
    [40163, 'phone_code_invalid'],
    [40013, 'phone_code_invalid'],
    [40003, 'phone_code_invalid'],
    [43104, 'phone_code_invalid'],
    [45011, 'rate_limited'],
    [45009, 'rate_limited'],
    [48001, 'wechat_misconfigured'],
    [40001, 'wechat_unavailable'],
    [47001, 'wechat_unavailable'],
    [-1, 'wechat_unavailable'],
    [99999, 'wechat_unavailable'],
  ])('that WeChat refuses with %i is %s', async (errcode, code) => {
    service.wechat.setFault({ fault: 'errcode', errcode, route: 'getuserphonenumber' });
    const phoneCode = service.wechat.issuePhoneCode({ openid, phone });

    expect(await failureOf(get(phoneCode), phoneCode)).toMatchObject({ code, errcode });
  });

  it.each(['truncated', 'not_json', 'empty', 'array_body', 'http_502_html', 'reset_mid_body'] as const)(
    'for which WeChat answers %s is wechat_unavailable',
    async (fault) => {
      service.wechat.setFault({ fault, route: 'getuserphonenumber' });
      const code = service.wechat.issuePhoneCode({ openid, phone });

      expect((await failureOf(get(code), code)).code).toBe('wechat_unavailable');
    },
  );

  it('works although the token was ended a moment ago', async () => {
    await get(service.wechat.issuePhoneCode({ openid, phone }));
    await endToken(service.wechat);

    expect((await get(service.wechat.issuePhoneCode({ openid, phone }))).e164).toBe(`+86${phone}`);
  });

  it('works once more when WeChat was busy before it looked', async () => {
    service.wechat.setFault({ fault: 'errcode', errcode: -1, times: 1, route: 'getuserphonenumber' });

    expect((await get(service.wechat.issuePhoneCode({ openid, phone }))).e164).toBe(`+86${phone}`);
  });
});

describe("WeChat's answer", () => {
  const info = {
    phoneNumber: phone,
    purePhoneNumber: phone,
    countryCode: '86',
    watermark: { timestamp: 1, appid },
  };

  /** What becomes of an answer, and the calls that were made for it. */
  async function read(answer: unknown) {
    const calls: { url: string; head: unknown; body: string }[] = [];
    const { connection, close } = await connectTo(async (request, response) => {
      calls.push({ url: request.url ?? '', head: request.headers, body: await text(request) });
      response.end(JSON.stringify(answer));
    });
    const result = createGetPhoneNumber({
      connection,
      accessTokens: { withAccessToken: (_, call) => call('a&b=c token') },
    })({ appid, openid, code: 'hush-code' });
    const settled = await result.catch((error: unknown) => error);
    close();
    return { result, settled, calls };
  }

  it('is asked for with code and openid in the body and the token in the query alone', async () => {
    const { calls } = await read({ errcode: 0, errmsg: 'ok', phone_info: info });

    expect(calls).toHaveLength(1);
    const { url, head, body } = calls[0] ?? { url: '', head: {}, body: '' };
    expect(new URL(url, 'http://x').searchParams.get('access_token')).toBe('a&b=c token');
    expect(JSON.parse(body)).toEqual({ code: 'hush-code', openid });
    expect(head).toMatchObject({
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
    });
    expect(head).not.toHaveProperty('transfer-encoding');
  });

  it.each([
    ['a country code that is a number', { ...info, countryCode: 86 }],
    ['a phone number that is a number', { ...info, purePhoneNumber: Number(phone) }],
    ['members that nobody knows', { ...info, purePhoneNumberInfo: null, x: [] }],
  ])('is read with %s', async (_, phone_info) => {
    const { settled } = await read({ phone_info });

    expect(settled).toEqual({ e164: `+86${phone}`, countryCode: '86' });
  });

  it('for another mini-program is refused', async () => {
    const { result } = await read({
      phone_info: { ...info, watermark: { timestamp: 1, appid: otherAppid } },
    });

    expect((await failureOf(result, 'hush-code')).code).toBe('phone_code_invalid');
  });

  it('without a usable number is wechat_unavailable', async () => {
    const wrongNumbers = [
      '',
      '123',
      '139 1234 5678',
      '+8613912345678',
      '1391234567a',
      '１３９１２３４５６７８',
    ];
    const wrongCodes = ['', '0', '086', '+86', '1234', 'CN', 86.5, -86];
    for (const phone_info of [
      undefined,
      null,
      'x',
      [],
      {},
      { ...info, watermark: undefined },
      { ...info, watermark: { timestamp: 1 } },
      { ...info, countryCode: undefined },
      { ...info, purePhoneNumber: null },
      { ...info, countryCode: '123', purePhoneNumber: '1234567890123' },
      ...wrongNumbers.map((purePhoneNumber) => ({ ...info, purePhoneNumber })),
      ...wrongCodes.map((countryCode) => ({ ...info, countryCode })),
    ]) {
      const { result } = await read({ errcode: 0, phone_info });

      expect((await failureOf(result, 'hush-code')).code, JSON.stringify(phone_info)).toBe(
        'wechat_unavailable',
      );
    }
  });
});
