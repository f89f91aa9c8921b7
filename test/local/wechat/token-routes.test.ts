import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startWechatSimulator, type WechatSimulator } from '../../../local/wechat/simulator.ts';

const appid = 'wx0123456789abcdef';
const secret = '0123456789abcdef0123456789abcdef';
const otherAppid = 'wxfedcba9876543210';
const right = { grant_type: 'client_credential', appid, secret };

let simulator: WechatSimulator;
let clock: { ms: number };
beforeEach(async () => {
  clock = { ms: 0x66c69111 * 1000 };
  simulator = await startWechatSimulator({
    apps: { [appid]: secret, [otherAppid]: 'other' },
    now: () => clock.ms,
  });
});
afterEach(() => simulator.close());

async function post(path: string, body: unknown) {
  const response = await fetch(`${simulator.url}${path}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { response, json: JSON.parse(text) };
}

const stableToken = async (body: object = {}) =>
  (await post('/cgi-bin/stable_token', { ...right, ...body })).json;
const token = async (): Promise<string> => (await stableToken()).access_token;
const getPhone = async (body: unknown, accessToken?: string) =>
  (
    await post(
      `/wxa/business/getuserphonenumber?${new URLSearchParams({ access_token: accessToken ?? (await token()) })}`,
      body,
    )
  ).json;
const check = async (body: object) =>
  (await post(`/wxa/msg_sec_check?access_token=${await token()}`, body)).json;

/** POSTs in chunks, without a length. */
const postInChunks = (path: string): Promise<{ status: number | undefined; body: string }> =>
  new Promise((resolve, reject) => {
    const sending = request(`${simulator.url}${path}`, { method: 'POST' }, async (response) => {
      const chunks = await response.toArray();
      resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString() });
    }).on('error', reject);
    sending.write('{');
    sending.end('}');
  });

const tokenRoutes = ['/cgi-bin/stable_token', '/wxa/business/getuserphonenumber', '/wxa/msg_sec_check'];

describe.each(tokenRoutes)('%s', (path) => {
  it('answers application/json, and its errors have an id behind a space', async () => {
    const { response, json } = await post(path, '{');

    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(json.errcode).toBe(47001);
    expect(json.errmsg).toMatch(/^data format error rid: 66c69111-[0-9a-f]{8}-[0-9a-f]{8}$/);
  });

  it('answers 412 with nothing to a POST without a length, and 43002 to a GET', async () => {
    expect(await postInChunks(path)).toEqual({ status: 412, body: '' });
    expect(await (await fetch(`${simulator.url}${path}`)).json()).toMatchObject({ errcode: 43002 });
  });
});

describe('stable_token', () => {
  it('gives the same token with what is left of it, and a new one in the last five minutes', async () => {
    const first = await stableToken();
    clock.ms += 3_600_500;
    const later = await stableToken();
    clock.ms += 3_299_500;
    const last = await stableToken();

    expect(first).toEqual({ access_token: expect.stringMatching(/^99_[\w-]{132}$/), expires_in: 7200 });
    expect(later).toEqual({ access_token: first.access_token, expires_in: 3599 });
    expect(last.access_token).not.toBe(first.access_token);
    expect(last.expires_in).toBe(7200);
  });

  it('gives each mini-program its own', async () => {
    const other = await stableToken({ appid: otherAppid, secret: 'other' });

    expect(other.access_token).not.toBe(await token());
  });

  it('ends the token before it when it is forced, not again within 30 seconds, and 20 times a day', async () => {
    const first = await token();
    const forced = await stableToken({ force_refresh: true });
    const again = await stableToken({ force_refresh: true });

    expect(forced.access_token).not.toBe(first);
    expect(again.access_token).toBe(forced.access_token);
    expect(await getPhone({}, first)).toMatchObject({ errcode: 40001 });

    const results = [];
    for (let call = 0; call < 20; call += 1) {
      clock.ms += 30_000;
      results.push((await stableToken({ force_refresh: true })).errcode);
    }
    expect(results).toEqual([...Array(19).fill(undefined), 45009]);
    clock.ms += 86_400_000;
    expect(await stableToken({ force_refresh: true })).toMatchObject({ expires_in: 7200 });
  });

  it.each([
    [{ appid: '' }, 41002],
    [{ secret: '' }, 41004],
    [{ grant_type: 'authorization_code' }, 40002],
    [{ appid: 'wxnobody' }, 40013],
    [{ secret: 'wrong' }, 40125],
  ])('refuses %j with %i', async (wrong, errcode) => {
    expect(await stableToken(wrong)).toMatchObject({ errcode });
  });
});

describe('a token', () => {
  it('opens in the query alone', async () => {
    const code = simulator.issuePhoneCode();
    const access_token = await token();

    const inBody = await post('/wxa/business/getuserphonenumber', { code, access_token });
    const nowhere = await post('/wxa/business/getuserphonenumber', { code });

    expect(inBody.json.errcode).toBe(47001);
    expect(nowhere.json.errcode).toBe(41001);
    expect((await getPhone({ code })).errcode).toBe(0);
  });

  it('that never was is 40001, one that has ended 42001', async () => {
    const old = await token();
    clock.ms += 7_200_000;

    expect(await getPhone({}, 'nonsense')).toMatchObject({ errcode: 40001 });
    expect(await getPhone({}, old)).toMatchObject({ errcode: 42001 });
  });

  it('that was replaced in time is good until its end', async () => {
    const old = await token();
    clock.ms += 6_900_000;

    expect(await token()).not.toBe(old);
    expect(await getPhone({ code: simulator.issuePhoneCode() }, old)).toMatchObject({ errcode: 0 });
  });
});

describe('getuserphonenumber', () => {
  it('gives what a code was issued for, once', async () => {
    const { json } = await post('/__sim/phone-codes', {
      openid: 'oOne',
      phone: '61234567',
      countryCode: '852',
    });
    expect(json.code).toMatch(/^[0-9a-f]{64}$/);

    expect(await getPhone({ code: json.code, openid: 'oOne' })).toEqual({
      errcode: 0,
      errmsg: 'ok',
      phone_info: {
        phoneNumber: '+85261234567',
        purePhoneNumber: '61234567',
        countryCode: '852',
        watermark: { timestamp: 0x66c69111, appid },
      },
    });
    expect(await getPhone({ code: json.code, openid: 'oOne' })).toMatchObject({
      errcode: 40029,
      errmsg: expect.stringMatching(/^invalid code hint: \[[0-9a-f]{16}\] rid: /),
    });
  });

  it('refuses the code of another openid or mini-program, and one after five minutes', async () => {
    const [theirs, foreign, old] = [
      simulator.issuePhoneCode({ openid: 'oBob' }),
      simulator.issuePhoneCode({ appid: otherAppid }),
      simulator.issuePhoneCode(),
    ];

    expect(await getPhone({ code: theirs, openid: 'oAlice' })).toMatchObject({ errcode: 40029 });
    expect(await getPhone({ code: foreign })).toMatchObject({ errcode: 40013 });
    clock.ms += 300_000;
    expect(await getPhone({ code: old })).toMatchObject({ errcode: 40029 });
    expect(await getPhone({})).toMatchObject({ errcode: 40029 });
  });
});

describe('msg_sec_check', () => {
  const text = { content: '小明', openid: 'oOne', scene: 1, version: 2 };

  it('passes harmless texts, calls its own examples risky, and has one word reviewed', async () => {
    const suggestions = [];
    for (const content of ['小明', 'x特3456书yuuo莞6543李zxcz蒜7782法fgnv级', '复审'])
      suggestions.push((await check({ ...text, content })).result);

    expect(suggestions).toEqual([
      { suggest: 'pass', label: 100 },
      { suggest: 'risky', label: 20001 },
      { suggest: 'review', label: 21000 },
    ]);
  });

  it.each([
    [{ content: '' }, 44002],
    [{ openid: '' }, 40003],
    [{ scene: 9 }, 40129],
  ])('refuses %j with %i', async (wrong, errcode) => {
    expect(await check({ ...text, ...wrong })).toMatchObject({ errcode });
  });
});

describe('a fault', () => {
  it('shows on its route alone', async () => {
    await post('/__sim/faults', { fault: 'errcode', errcode: 61010, route: 'msg_sec_check', times: 1 });
    const text = { content: '小明', openid: 'oOne', scene: 1, version: 2 };

    expect(await stableToken()).toHaveProperty('access_token');
    expect(await check(text)).toMatchObject({ errcode: 61010 });
    expect(await check(text)).toMatchObject({ errcode: 0 });
  });

  it('loose_types turns numbers and digits around', async () => {
    simulator.setFault({ fault: 'loose_types', route: 'stable_token', times: 1 });
    simulator.setFault({ fault: 'loose_types', route: 'getuserphonenumber' });

    expect((await stableToken()).expires_in).toBe('7200');
    expect((await getPhone({ code: simulator.issuePhoneCode() })).phone_info).toMatchObject({
      countryCode: 86,
    });
  });

  it('on a route that is not there is refused with those that are', async () => {
    const { response, json } = await post('/__sim/faults', { fault: 'hang', route: 'login' });

    expect(response.status).toBe(400);
    expect(json.error).toContain('getuserphonenumber');
  });
});

it('calls are counted by route', async () => {
  await stableToken();
  await stableToken();
  const counted = await fetch(`${simulator.url}/__sim/calls?route=stable_token`);

  expect(await counted.json()).toMatchObject({ count: 2 });
  expect(simulator.calls().count).toBe(0);
  expect((await fetch(`${simulator.url}/__sim/calls?route=login`)).status).toBe(400);
});

it("the developer tools' mock code is a demo user, the same one always", async () => {
  const login = async () => {
    const query = new URLSearchParams({
      appid,
      secret,
      js_code: 'the code is a mock one',
      grant_type: 'authorization_code',
    });
    return (await (await fetch(`${simulator.url}/sns/jscode2session?${query}`)).json()) as { openid: string };
  };

  const { openid } = await login();

  expect(openid).toMatch(/^o[\w-]{27}$/);
  expect((await login()).openid).toBe(openid);
});
