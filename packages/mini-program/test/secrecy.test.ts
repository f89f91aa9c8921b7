import { describe, expect, it } from 'vitest';
import { BASE_URL, endOf, promiseKinds, settle, startApp } from './fixtures/app.ts';
import { bareRefusal, json } from './fixtures/service.ts';

const OTHER = 'https://orders.example.com';

describe.each(promiseKinds)('with a Promise of %s', (kind) => {
  it('the token goes to the service and to listed origins only, in a header and never in a URL or a body', async () => {
    const { client, wx } = startApp({
      kind,
      client: { origins: [OTHER] },
      serve: () => json(200, { ok: true }),
    });

    await client.request({ url: '/orders', data: { page: 1 } });
    await client.request({ url: `${OTHER}/orders`, method: 'POST', data: { item: 1 } });
    await client.request({ url: 'https://elsewhere.example.com/track', method: 'PUT', data: {} });
    await client.login({ force: true });
    await client.logout();

    const carried = wx.seen.filter(({ header }) => header.authorization !== undefined);
    expect(carried.map(({ url }) => url)).toEqual([
      `${BASE_URL}/orders?page=1`,
      `${OTHER}/orders`,
      `${BASE_URL}/member/logout`,
    ]);
    for (const { url, body } of wx.seen) expect(url + body).not.toContain('secret-token');
  });

  it('a request with the token follows no redirect', async () => {
    const { client, wx, service } = startApp({ kind });
    service.routes.set('GET /orders', () => ({ status: 302, header: { Location: OTHER }, body: '' }));

    expect(await endOf(client.request({ url: '/orders' }))).toBe('unavailable');

    expect(wx.redirects.at(-1)).toBe('manual');
  });

  it('an origin that is not listed is called without a login, and its refusals cause none', async () => {
    const { client, wx } = startApp({ kind, serve: () => bareRefusal(401) });

    expect(await endOf(client.request({ url: 'https://elsewhere.example.com/' }))).toBe('unavailable');

    expect(wx.state.logins).toBe(0);
    expect(wx.seen).toHaveLength(1);
  });

  it('storage that fails leaves a working session in memory, and is reported', async () => {
    const { client, clock, wx } = startApp({ kind });
    wx.state.storageFails = true;
    const errors: string[] = [];
    client.on('error', ({ code }) => errors.push(code));

    for (let turn = 0; turn < 5; turn++) await client.request({ url: '/orders' });
    clock.now += 4 * 24 * 3600 * 1000;
    await client.request({ url: '/orders' });
    await settle();
    expect(wx.state.logins).toBe(1);
    await client.logout();
    await settle();

    expect(await endOf(client.token())).toBe('logged_out');
    expect(wx.state.logins).toBe(1);
    expect(new Set(errors)).toEqual(new Set(['unavailable']));
  });
});

it.each([
  'https://login.example.com.elsewhere.example.com/',
  'https://login.example.com@elsewhere.example.com/',
  'https://login.example.com:443@elsewhere.example.com/',
  'https://login.example.com\\@elsewhere.example.com/',
  'https://login.example.com\\.elsewhere.example.com/',
  'https://login.example.com%2eelsewhere.example.com/',
  'https://login.example.com:8443/',
  'http://login.example.com/',
  'https:login.example.com/',
  ' https://login.example.com/',
  'https://login.example.com\t.elsewhere.example.com/',
])('%s is not the service and gets no token', async (url) => {
  const app = startApp();
  await app.client.token();
  const sent: string[] = [];
  const { request } = app.wx.api;
  app.wx.api.request = (call) => {
    if (call.header.authorization !== undefined) sent.push(call.url);
    return request({ ...call, url: BASE_URL });
  };

  await endOf(app.client.request({ url }));

  for (const carried of sent) expect(carried).toMatch(/^https:\/\/login\.example\.com\/prod\//);
});

it.each(['orders', '/orders', '@elsewhere.example.com', '.elsewhere.example.com', '//elsewhere.example.com'])(
  'a relative URL (%s) stays below baseUrl, path included',
  async (url) => {
    const { client, wx } = startApp({ client: { baseUrl: `${BASE_URL}/` } });
    await client.request({ url });
    expect(wx.seen.at(-1)?.url.startsWith(`${BASE_URL}/`)).toBe(true);
  },
);

it('two clients with two base URLs in one app do not meet', async () => {
  const tokens = (header: Readonly<Record<string, string>>) => header.authorization ?? 'none';
  const arrived: string[] = [];
  const app = startApp({
    serve: ({ url, header }) => {
      arrived.push(`${url} ${tokens(header)}`);
      const data = { user_id: 'other-user', token: 'other-token', expires_in: 600 };
      return json(200, { code: 200, msg: 'ok', data, request_id: 'r' });
    },
  });
  const other = app.library.createLoginClient({ baseUrl: 'https://other.example.com' });

  await Promise.all([app.client.request({ url: '/orders' }), other.request({ url: '/orders' })]);
  expect([app.client.session?.userId, other.session?.userId]).toEqual(['user-1', 'other-user']);
  expect(app.wx.state.logins).toBe(2);
  expect(arrived).toEqual([
    'https://other.example.com/member/login none',
    'https://other.example.com/orders Bearer other-token',
  ]);

  await other.logout();
  expect(await endOf(other.token())).toBe('logged_out');
  expect(await endOf(app.client.request({ url: '/orders' }))).toBe('done');

  const { client, library } = app.restart();
  const otherAgain = library.createLoginClient({ baseUrl: 'https://other.example.com' });
  expect(client.session?.userId).toBe('user-1');
  expect(await endOf(otherAgain.token())).toBe('logged_out');
});

it('two clients of one service share login and logout', async () => {
  const { client, library, wx } = startApp();
  const twin = library.createLoginClient({ baseUrl: BASE_URL });

  await Promise.all([client.request({ url: '/orders' }), twin.request({ url: '/orders' })]);
  expect(wx.state.logins).toBe(1);
  await twin.logout();

  expect(await endOf(client.token())).toBe('logged_out');
});

it.each(['login.example.com', 'ftp://login.example.com', 'https://user:password@login.example.com', ''])(
  'a base URL without a clear origin (%s) is a TypeError',
  (baseUrl) => {
    const { library } = startApp();
    expect(() => library.createLoginClient({ baseUrl })).toThrow(/baseUrl and origins must be/);
  },
);
