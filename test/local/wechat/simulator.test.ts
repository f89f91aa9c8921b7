import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { faultNames } from '../../../local/wechat/faults.ts';
import {
  startWechatSimulator,
  type WechatSimulator,
  type WechatSimulatorOptions,
} from '../../../local/wechat/simulator.ts';

const APPID = 'wx0123456789abcdef';
const SECRET = '0123456789abcdef0123456789abcdef';
const OTHER_APPID = 'wxfedcba9876543210';

let simulator: WechatSimulator;
afterEach(() => simulator.close());

async function start(options: Partial<WechatSimulatorOptions> = {}): Promise<void> {
  simulator = await startWechatSimulator({ apps: { [APPID]: SECRET, [OTHER_APPID]: 'other' }, ...options });
}

async function exchange(code: string, overrides: Record<string, string | undefined> = {}) {
  const parameters = {
    appid: APPID,
    secret: SECRET,
    js_code: code,
    grant_type: 'authorization_code',
    ...overrides,
  };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, value);
  const response = await fetch(`${simulator.url}/sns/jscode2session?${query}`);
  const body = await response.text();
  return { response, body, json: () => JSON.parse(body) };
}

/** Calls, and hangs up when a later call has its response and this one has none. */
async function abandon(path: string): Promise<'response' | 'no response'> {
  const { count } = simulator.calls();
  const hangUp = new AbortController();
  const settled = fetch(simulator.url + path, { signal: hangUp.signal })
    .then((response) => response.text())
    .then(
      () => 'response' as const,
      () => 'no response' as const,
    );
  while (simulator.calls().count === count) await setTimeout(5);
  await control('GET', 'calls');
  hangUp.abort();
  return settled;
}

async function control(method: string, path: string, body?: unknown) {
  const response = await fetch(`${simulator.url}/__sim/${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const json = (await response.json()) as { code: string; error: string; count: number };
  return { status: response.status, json };
}

describe('a successful exchange', () => {
  it('looks like WeChat: HTTP 200, text/plain, no errcode, session_key first', async () => {
    await start();
    const { json } = await control('POST', 'codes', { openid: 'oOne', unionid: 'uOne' });

    const { response, body } = await exchange(json.code);

    expect(json.code).toMatch(/^0[A-Za-z0-9]{31}$/);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain');
    expect(body).toMatch(/^\{"session_key":"[A-Za-z0-9+/]{22}==","openid":"oOne","unionid":"uOne"\}$/);
  });

  it('makes up an openid of 28 characters when none is asked for', async () => {
    await start();

    const { json } = await exchange(simulator.issueCode());

    expect(json().openid).toMatch(/^o[A-Za-z0-9_-]{27}$/);
    expect(json()).not.toHaveProperty('unionid');
  });

  it('logs the same demo user in with the same demo code, again and again', async () => {
    await start();

    const first = await exchange('demo-alice');
    const second = await exchange('demo-alice');
    const other = await exchange('demo-bob');

    expect(first.json().openid).toMatch(/^o[A-Za-z0-9_-]{27}$/);
    expect(second.json().openid).toBe(first.json().openid);
    expect(other.json().openid).not.toBe(first.json().openid);
  });
});

describe('a code', () => {
  it('works once and is 40163 from then on', async () => {
    await start();
    const code = simulator.issueCode();

    const answers = [await exchange(code), await exchange(code), await exchange(code)];

    expect(answers.map(({ json }) => json().errcode)).toEqual([undefined, 40163, 40163]);
  });

  it('is 40029 after five minutes, used or not', async () => {
    let time = Date.now();
    await start({ now: () => time });
    const unused = simulator.issueCode();
    const used = simulator.issueCode();
    await exchange(used);
    time += 5 * 60_000;

    const answers = [await exchange(unused), await exchange(used)];

    expect(answers.map(({ json }) => json().errcode)).toEqual([40029, 40029]);
  });

  it('is forgotten when a hundred thousand newer ones wait', async () => {
    await start();
    const first = simulator.issueCode();
    const second = simulator.issueCode();
    for (let newer = 0; newer < 99_999; newer += 1) simulator.issueCode({ openid: 'oNew' });

    const answers = [await exchange(first), await exchange(second)];

    expect(answers[0]?.json().errcode).toBe(40029);
    expect(answers[1]?.json().openid).toMatch(/^o/);
  });

  it('is 40029 for another mini-program and stays usable for its own', async () => {
    await start();
    const code = simulator.issueCode({ openid: 'oMine' });

    const stolen = await exchange(code, { appid: OTHER_APPID, secret: 'other' });
    const own = await exchange(code);

    expect(stolen.json().errcode).toBe(40029);
    expect(own.json().openid).toBe('oMine');
  });

  it('is consumed before the answer, so a caller who never sees it cannot ask again', async () => {
    await start();
    for (const fault of ['hang', 'reset_mid_body', 'truncated', 'http_502_html'] as const) {
      const code = simulator.issueCode();
      simulator.setFault({ fault, times: 1 });
      const query = `appid=${APPID}&secret=${SECRET}&js_code=${code}&grant_type=authorization_code`;
      await abandon(`/sns/jscode2session?${query}`);

      const again = await exchange(code);

      expect(again.json().errcode, fault).toBe(40163);
    }
  });

  it.each([
    ['appid', undefined, 41002, 'appid missing'],
    ['secret', undefined, 41004, 'appsecret missing'],
    ['js_code', undefined, 41008, 'missing code'],
    ['grant_type', undefined, 40002, 'invalid grant_type'],
    ['grant_type', 'client_credential', 40002, 'invalid grant_type'],
    ['appid', 'wxnobody', 40013, 'invalid appid'],
    ['secret', 'wrong', 40125, 'invalid appsecret'],
    ['js_code', 'nonsense', 40029, 'invalid code'],
    ['js_code', 'demo-', 40029, 'invalid code'],
  ])('is not looked at when %s is %s: %i', async (parameter, value, errcode, errmsg) => {
    const time = 0x66c69111 * 1000;
    await start({ now: () => time });
    const code = simulator.issueCode();

    const { response, json } = await exchange(code, { [parameter]: value });

    expect(response.status).toBe(200);
    expect(json().errcode).toBe(errcode);
    expect(json().errmsg).toMatch(new RegExp(`^${errmsg}, rid: 66c69111-[0-9a-f]{8}-[0-9a-f]{8}$`));
    expect((await exchange(code)).json().openid).toBeDefined();
  });
});

describe('a user', () => {
  it('of high risk is refused with 40226', async () => {
    await start();
    const { json } = await control('POST', 'codes', { risk: true });

    expect((await exchange(json.code)).json().errcode).toBe(40226);
  });

  it('over the minute limit gets 45011 until the next minute, and others are not touched', async () => {
    let time = 60_000_000;
    await start({ now: () => time, userMinuteLimit: 2 });
    const login = async (openid: string) => (await exchange(simulator.issueCode({ openid }))).json().errcode;

    const first = [await login('oBusy'), await login('oBusy'), await login('oBusy'), await login('oOther')];
    time += 60_000;
    const next = await login('oBusy');

    expect(first).toEqual([undefined, undefined, 45011, undefined]);
    expect(next).toBeUndefined();
  });
});

describe('a fault', () => {
  it('lasts until it is cleared', async () => {
    await start();
    await control('POST', 'faults', { fault: 'errcode', errcode: 45009 });
    const during = [await exchange('demo-a'), await exchange('demo-a')];
    await control('DELETE', 'faults');
    const after = await exchange('demo-a');

    expect(during.map(({ json }) => json().errcode)).toEqual([45009, 45009]);
    expect(after.json().openid).toBeDefined();
  });

  it('lasts as many calls as asked for', async () => {
    await start();
    await control('POST', 'faults', { fault: 'empty', times: 1 });

    const bodies = [(await exchange('demo-a')).body, (await exchange('demo-a')).body];

    expect(bodies[0]).toBe('');
    expect(bodies[1]).toContain('openid');
  });

  it('errcode leaves the code usable unless told to consume it, and can be a string', async () => {
    await start();
    const kept = simulator.issueCode({ openid: 'oKept' });
    const code = simulator.issueCode();
    simulator.setFault({ fault: 'errcode', times: 1 });
    const busy = await exchange(kept);
    simulator.setFault({ fault: 'errcode', errcode: 40029, asString: true, consumes: true, times: 1 });
    const refused = await exchange(code);
    const used = await exchange(code);

    expect(busy.json()).toMatchObject({ errcode: -1, errmsg: expect.stringMatching(/^system error, rid: /) });
    expect((await exchange(kept)).json().openid).toBe('oKept');
    expect(refused.json().errcode).toBe('40029');
    expect(used.json().errcode).toBe(40163);
  });

  it.each([
    ['ip_not_whitelisted', /^\{"errcode":40164,"errmsg":"invalid ip 203\.0\.113\.7 ipv6 .*, rid: /],
    ['secret_frozen', /^\{"errcode":40243,/],
    ['errcode_zero', /"openid":".*"errcode":0/],
    ['legacy_expires_in', /"openid":".*"expires_in":7200\}$/],
    ['no_openid', /^\{"session_key":"[^"]+"\}$/],
    ['no_session_key', /^\{"openid":"[^"]+"\}$/],
    ['openid_number', /"openid":12345\}$/],
    ['array_body', /^\[\{.*\}\]$/],
    ['not_json', /^<html>/],
    ['truncated', /^\{"session_key":"[^}]*$/],
    ['oversized', /"openid":" *.* {1000}/],
    ['http_502_html', /^<html>.*502/],
    ['delay', /"openid":/],
    ['slow_drip', /^\{"session_key":".*\}$/],
  ] as const)('%s shows what it is called', async (fault, body) => {
    await start();
    simulator.setFault({ fault, delayMs: 1 });

    const answer = await exchange('demo-a');

    expect(answer.response.status).toBe(fault === 'http_502_html' ? 502 : 200);
    expect(answer.body).toMatch(body);
  });

  it('hang never answers and reset_mid_body breaks off', async () => {
    await start();
    simulator.setFault({ fault: 'hang', times: 1 });
    expect(await abandon('/sns/jscode2session')).toBe('no response');

    simulator.setFault({ fault: 'reset_mid_body', times: 1 });
    await expect(exchange('demo-a')).rejects.toThrow('terminated');
  });

  it('with a wrong name, an unknown member or a wrong type is refused with what is allowed', async () => {
    await start();
    for (const body of [
      {},
      { fault: 'nonsense' },
      { fault: 'hang', time: 1 },
      { fault: 'hang', times: '1' },
      { fault: 'hang', __proto__: null, constructor: 1 },
      [],
      null,
    ]) {
      const { status, json } = await control('POST', 'faults', body);

      expect(status, JSON.stringify(body)).toBe(400);
      expect(json.error, JSON.stringify(body)).toMatch(/must be|known:|JSON object/);
    }
    expect((await exchange('demo-a')).json().openid).toBeDefined();
    expect(faultNames).toContain('hang');
  });
});

describe('the simulator', () => {
  it('counts calls, not control requests', async () => {
    await start();
    simulator.issueCode();
    await control('GET', 'calls');
    await exchange('demo-a');
    await exchange('nonsense');

    expect((await control('GET', 'calls')).json).toMatchObject({ count: 2 });
  });

  it('delays every answer when asked to', async () => {
    await start({ delayMs: 60 });
    const before = performance.now();
    await exchange('demo-a');

    expect(performance.now() - before).toBeGreaterThan(55);
  });

  it('answers 404 for paths WeChat has and it has not', async () => {
    await start();
    const response = await fetch(`${simulator.url}/cgi-bin/token`);

    expect(response.status).toBe(404);
  });

  it('rejects a port in use', async () => {
    await start();

    await expect(startWechatSimulator({ apps: {}, port: simulator.port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });

  it('ends while an answer hangs', async () => {
    await start();
    simulator.setFault({ fault: 'hang' });
    const hung = fetch(`${simulator.url}/sns/jscode2session`).catch(() => 'ended');
    await expect.poll(() => simulator.calls().count, { timeout: 60_000 }).toBe(1);

    await simulator.close();

    expect(await hung).toBe('ended');
  });
});

describe('a fault', () => {
  it('for one code or one user leaves the others alone, and is gone after its calls', async () => {
    await start();
    const mine = simulator.issueCode({ openid: 'o-mine' });
    simulator.setFault({ fault: 'errcode', errcode: 45011, openid: 'o-mine', times: 2 });
    simulator.setFault({ fault: 'errcode', errcode: -1, code: 'demo-b' });

    const answers = [];
    for (const code of [mine, 'demo-a', mine, 'demo-b', mine])
      answers.push((await exchange(code)).json().errcode);

    expect(answers).toEqual([45011, undefined, 45011, -1, undefined]);
    expect(simulator.faults()).toEqual([{ fault: { fault: 'errcode', errcode: -1, code: 'demo-b' } }]);
  });

  it('is met newest first, and replaced by the next one for the same', async () => {
    await start();
    simulator.setFault({ fault: 'errcode', errcode: -1 });
    simulator.setFault({ fault: 'errcode', errcode: 40226 });
    simulator.setFault({ fault: 'errcode', errcode: 45011, code: 'demo-a', times: 1 });

    const answers = [];
    for (const code of ['demo-a', 'demo-a']) answers.push((await exchange(code)).json().errcode);

    expect(answers).toEqual([45011, 40226]);
    expect(simulator.faults()).toHaveLength(1);
  });

  it('for no call, or half of one, is refused', async () => {
    await start();
    for (const times of [0, -1, 1.5])
      expect(await control('POST', 'faults', { fault: 'hang', times })).toMatchObject({ status: 400 });
  });
});

describe('two hosts', () => {
  it('know the same codes, and the first can be down for a while', async () => {
    await start({ hosts: 2 });
    const [first, second] = simulator.urls;
    await simulator.setFirstHostDown(true);

    await expect(fetch(`${first}/__sim/calls`)).rejects.toThrow();
    expect((await fetch(`${second}/__sim/calls`)).status).toBe(200);
    await simulator.setFirstHostDown(false);
    expect((await fetch(`${first}/__sim/calls`)).status).toBe(200);
  });
});

describe('a new AppSecret', () => {
  it('is taken from now on, and the one before is refused', async () => {
    await start();
    const secret = simulator.resetSecret(APPID);

    expect((await exchange('demo-a')).json()).toMatchObject({ errcode: 40125 });
    expect((await exchange('demo-a', { secret })).json()).toMatchObject({ openid: expect.any(String) });
    expect(() => simulator.resetSecret('wx0')).toThrow('no such appid');
  });
});
