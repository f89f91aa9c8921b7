import { describe, expect, it } from 'vitest';
import { endOf, promiseKinds, settle, startApp } from './fixtures/app.ts';
import { json } from './fixtures/service.ts';

it('a request resolves with data of our service, and with the body of another team as it is', async () => {
  const bodies = [
    { items: [] },
    [1],
    'text',
    { code: 200, msg: 'theirs', data: 1 },
    { code: 0, data: 1, request_id: 'theirs' },
  ];
  for (const body of bodies) {
    const { client } = startApp({
      client: { origins: ['https://orders.example.com'] },
      serve: () => ({ status: 200, body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    expect(await client.request({ url: 'https://orders.example.com/' })).toEqual(body);
  }
  const { client } = startApp();
  expect(await client.request({ url: '/whoami' })).toEqual({ user_id: 'user-1' });
});

it("another team's error is unavailable, with its status and its body", async () => {
  const { client, service } = startApp();
  service.routes.set('GET /orders', () => json(409, { error: 'sold_out' }));

  const error = await client.request({ url: '/orders' }).then(undefined, (reason: unknown) => reason);

  expect(error).toMatchObject({ code: 'unavailable', status: 409, body: { error: 'sold_out' } });
});

it('data is the query of GET and DELETE, without what is undefined, and JSON text in POST and PUT', async () => {
  const { client, wx } = startApp();
  const data = { name: '小 明&', page: 2, none: undefined };
  for (const method of ['GET', 'DELETE', 'POST', 'PUT'] as const)
    await client.request({ url: '/a?b=1', method, data });

  const query = '?b=1&name=%E5%B0%8F%20%E6%98%8E%26&page=2';
  const sent = wx.sentTo('/a').map(({ method, url, body }) => [method, url.split('/a')[1], body]);
  expect(sent).toEqual([
    ['GET', query, ''],
    ['DELETE', query, ''],
    ['POST', '?b=1', '{"name":"小 明&","page":2}'],
    ['PUT', '?b=1', '{"name":"小 明&","page":2}'],
  ]);
});

it('nothing waits for ever: wx.login has 10 seconds, the service 15, a request what it was given', async () => {
  const { client, wx } = startApp();
  const given: unknown[] = [];
  const { login, request } = wx.api;
  wx.api.login = (call) => {
    given.push(call.timeout);
    return login(call);
  };
  wx.api.request = (call) => {
    given.push(call.timeout);
    return request(call);
  };

  await client.request({ url: '/a', timeout: 3_000 });
  await client.request({ url: '/a' });

  expect(given).toEqual([10_000, 15_000, 3_000, undefined]);
});

it('PATCH, which wx.request cannot send, is a TypeError', async () => {
  const { client } = startApp();
  const method: string = 'PATCH';
  const end = endOf(client.request({ url: '/a', method: method as 'PUT' }));
  expect(await end).toMatch(/TypeError: method must be/);
});

it("headers of one's own go along; the token's cannot be replaced", async () => {
  const { client, wx } = startApp({ client: { language: 'zh' } });
  await client.request({ url: '/a', header: { 'X-Trace': '1', Authorization: 'Bearer mine' } });
  expect(wx.seen.at(-1)?.header).toEqual({
    'x-trace': '1',
    'accept-language': 'zh',
    authorization: 'Bearer secret-token-1',
  });
});

it("the member's profile is read and changed, and a phone number bound", async () => {
  const { client, wx } = startApp();
  await client.me();
  await client.updateMe({ nickname: '' });
  await client.bindPhone({ code: 'phone-code' });
  expect(wx.seen.slice(1).map(({ method, url, body }) => [method, new URL(url).pathname, body])).toEqual([
    ['GET', '/prod/member/me', ''],
    ['PUT', '/prod/member/me', '{"nickname":""}'],
    ['POST', '/prod/member/phone', '{"code":"phone-code"}'],
  ]);
});

it('a page of the Wi-Fi is no response of our own routes', async () => {
  const { client, service } = startApp();
  service.routes.set('DELETE /member/me', () => ({ status: 200, body: '<html>' }));
  expect(await endOf(client.deleteMe())).toBe('unavailable');
  expect(client.session).toBeDefined();
});

it.each([
  ['network', { errMsg: 'request:fail interrupted', errno: 600003 }],
  ['network', { errMsg: 'request:fail url not in domain list', errno: 600002 }],
  ['timeout', { errMsg: 'request:fail timeout' }],
  ['timeout', { errMsg: 'request:fail', errno: 5 }],
])('what is lost is %s, and not sent again', async (code, failure) => {
  const { client, wx } = startApp();
  wx.lose('/orders', 'after', failure);
  const error = await client
    .request({ url: '/orders', method: 'POST' })
    .then(undefined, (reason: unknown) => reason);
  expect(error).toMatchObject({ code, message: failure.errMsg });
  expect(error).not.toHaveProperty('status');
  expect(wx.sentTo('/orders')).toHaveLength(1);
});

describe.each(promiseKinds)('with a Promise of %s', (kind) => {
  it('aborting one waiter leaves the login of the others alone', async () => {
    const { client, wx } = startApp({ kind });
    const letGo = wx.hold('wx.login');
    const aborted = client.request({ url: '/orders' });
    const other = client.request({ url: '/orders' });
    const ends = Promise.all([endOf(aborted), endOf(other)]);

    aborted.abort();
    letGo();

    expect(await ends).toEqual(['aborted', 'done']);
    expect(wx.state.logins).toBe(1);
    await settle();
    expect(wx.sentTo('/orders')).toHaveLength(1);
  });

  it('aborting a request on its way ends it at the platform too, and a refusal of it causes no login', async () => {
    const { client, service, wx } = startApp({ kind });
    await client.request({ url: '/orders' });
    service.revokeAll();
    const letGo = wx.hold('/prod/slow');
    const aborted = client.request({ url: '/slow' });
    const end = endOf(aborted);
    await settle();

    aborted.abort();
    letGo();

    expect(await end).toBe('aborted');
    await settle();
    expect(wx.sentTo('/slow')).toEqual([]);
    expect(wx.state.logins).toBe(1);
  });
});
