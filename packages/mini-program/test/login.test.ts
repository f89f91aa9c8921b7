import { describe, expect, it } from 'vitest';
import { BASE_URL, endOf, endsOf, promiseKinds, settle, startApp } from './fixtures/app.ts';
import { failure, success } from './fixtures/service.ts';

const twenty = Array.from({ length: 20 }, (_, index) => index);

describe.each(promiseKinds)('with a Promise of %s', (kind) => {
  it('creating a client sends nothing, reads nothing and calls no wx.login', async () => {
    const { wx } = startApp({ kind });
    await settle();
    expect(wx.seen).toEqual([]);
    expect(wx.state.logins).toBe(0);
  });

  it('20 requests at once from cold take one wx.login and one login, and all are answered', async () => {
    const { client, wx } = startApp({ kind });

    const ends = await endsOf(twenty.map((index) => client.request({ url: `/orders/${index}` })));

    expect(ends).toEqual(twenty.map(() => 'done'));
    expect(wx.state.logins).toBe(1);
    expect(wx.sentTo('/member/login')).toHaveLength(1);
    expect(wx.seen).toHaveLength(21);
  });

  it('20 requests whose login fails are 20 rejections, nothing stays pending, and the next one tries again', async () => {
    const { client, service, wx } = startApp({ kind });
    service.routes.set('POST /member/login', () =>
      failure(503, 'wechat_unavailable', { 'Retry-After': '7' }),
    );

    const errors = await Promise.all(
      twenty.map(() =>
        client.request({ url: '/orders' }).then(
          () => undefined,
          (error: unknown) => error,
        ),
      ),
    );

    for (const error of errors)
      expect(error).toMatchObject({ code: 'wechat_unavailable', status: 503, retryAfter: 7 });
    expect(wx.state.logins).toBe(1);
    service.routes.clear();
    expect(await endOf(client.request({ url: '/orders' }))).toBe('done');
  });

  it('a failing wx.login rejects who waits with network, a slow one with timeout', async () => {
    const { client, wx } = startApp({ kind });
    wx.state.loginFailure = { errMsg: 'login:fail', errno: 1003 };
    expect(await endOf(client.token())).toBe('network');
    wx.state.loginFailure = { errMsg: 'login:fail', errno: 5 };
    expect(await endOf(client.token())).toBe('timeout');
    expect(wx.seen).toEqual([]);
  });

  it('a login POST that is lost finds the same user with the same code, with one wx.login', async () => {
    const { client, wx } = startApp({ kind });
    wx.lose('/member/login', 'after');

    const { userId } = await client.login();

    expect(userId).toBe('user-1');
    expect(wx.state.logins).toBe(1);
    const [first, second, ...more] = wx.sentTo('/member/login');
    expect(second?.body).toBe(first?.body);
    expect(more).toEqual([]);
  });

  it('a login POST that is lost twice takes one fresh code: the same user, at most two wx.login', async () => {
    const { client, wx } = startApp({ kind });
    wx.lose('/member/login', 'after');
    wx.lose('/member/login', 'before', { errMsg: 'request:fail timeout' });

    const { userId } = await client.login();

    expect(userId).toBe('user-1');
    expect(wx.state.logins).toBe(2);
  });

  it('a login that stays lost ends after two codes, each sent twice', async () => {
    const { client, wx } = startApp({ kind });
    for (let sent = 0; sent < 10; sent++) wx.lose('/member/login', 'after');

    expect(await endOf(client.login())).toBe('network');

    expect(wx.state.logins).toBe(2);
    expect(wx.sentTo('/member/login')).toHaveLength(4);
  });

  it('a lost code is not sent again after its window of 60 seconds', async () => {
    const { client, wx, clock } = startApp({ kind });
    wx.lose('/member/login', 'after');
    const letGo = wx.hold('/prod/member/login');
    const login = client.login();
    await settle();
    clock.now += 61_000;
    letGo();

    await login;

    expect(wx.state.logins).toBe(2);
    const bodies = wx.sentTo('/member/login').map(({ body }) => body);
    expect(new Set(bodies).size).toBe(2);
  });

  it.each(['code_used', 'invalid_code'])('%s takes one fresh code, once per login', async (error) => {
    const { client, service, wx } = startApp({ kind });
    service.routes.set('POST /member/login', () => failure(401, error));

    expect(await endOf(client.login())).toBe(error);

    expect(wx.state.logins).toBe(2);
    expect(wx.sentTo('/member/login')).toHaveLength(2);
  });

  it.each(['user_banned', 'login_blocked', 'account_closing'])(
    '%s ends in one clear error and no login storm, until login() is called or the app is shown again',
    async (error) => {
      const { client, service, wx } = startApp({ kind });
      service.routes.set('POST /member/login', () => failure(403, error));

      const ends = await endsOf(twenty.map(() => client.request({ url: '/orders' })));
      const later = await endsOf(twenty.map(() => client.request({ url: '/orders' })));

      expect(new Set([...ends, ...later])).toEqual(new Set([error]));
      expect(wx.state.logins).toBe(1);

      wx.show();
      expect(await endOf(client.request({ url: '/orders' }))).toBe(error);
      expect(wx.state.logins).toBe(2);

      service.routes.clear();
      expect(await endOf(client.login())).toBe('done');
      expect(await endOf(client.request({ url: '/orders' }))).toBe('done');
    },
  );

  it('a ban that is found at a refused request rejects those that come later without sending them', async () => {
    const { client, service, wx } = startApp({ kind });
    await client.request({ url: '/orders' });
    service.revokeAll();
    service.routes.set('POST /member/login', () => failure(403, 'user_banned'));

    expect(await endOf(client.request({ url: '/orders' }))).toBe('user_banned');
    const sent = wx.seen.length;
    expect(await endsOf(twenty.map(() => client.request({ url: '/orders' })))).toEqual(
      twenty.map(() => 'user_banned'),
    );

    expect(wx.seen).toHaveLength(sent);
  });
});

describe('where a session is stored whose token was revoked elsewhere', () => {
  it('login({ restore: true }) restores the account, also after the app was shown again', async () => {
    const { client, service, wx } = startApp();
    await client.request({ url: '/orders' });
    service.revokeAll();
    service.routes.set('POST /member/login', (arrived) => {
      if (!JSON.parse(arrived.body).restore) return failure(403, 'account_closing');
      service.routes.clear();
      return service.handle(arrived) ?? failure(404, 'not_found');
    });
    expect(await endOf(client.request({ url: '/orders' }))).toBe('account_closing');
    wx.show();

    expect(await endOf(client.login({ restore: true }))).toBe('done');

    expect(await endOf(client.request({ url: '/orders' }))).toBe('done');
  });

  it.each(['user_banned', 'login_blocked', 'account_closing'])(
    'login() after %s is a login, and says so again',
    async (error) => {
      const { client, service, wx } = startApp();
      await client.request({ url: '/orders' });
      service.revokeAll();
      service.routes.set('POST /member/login', () => failure(403, error));
      expect(await endOf(client.request({ url: '/orders' }))).toBe(error);

      expect(await endOf(client.login())).toBe(error);

      expect(wx.state.logins).toBe(3);
    },
  );
});

it('a login carries the appid and the profile, and restores an account where that is wanted', async () => {
  const { client, wx } = startApp({ client: { appid: 'wx1234567890abcdef', language: 'en' } });

  await client.login({ profile: { nickname: '小明' }, restore: true });

  const [login] = wx.sentTo('/member/login');
  expect(JSON.parse(login?.body ?? '')).toEqual({
    nickname: '小明',
    code: 'openid-1 code-1',
    appid: 'wx1234567890abcdef',
    restore: true,
  });
  expect(login?.header).toEqual({ 'content-type': 'application/json', 'accept-language': 'en' });
});

it('login() resolves with who is logged in, without a login where there is one, and with force takes another', async () => {
  const { client, wx } = startApp();

  expect(await client.login()).toEqual({ userId: 'user-1', isNew: true });
  expect(await client.login()).toEqual({ userId: 'user-1', isNew: true });
  expect(wx.state.logins).toBe(1);
  expect(await client.login({ force: true })).toEqual({ userId: 'user-1', isNew: false });
  expect(wx.state.logins).toBe(2);
  expect(client.session).toEqual({ userId: 'user-1', isNew: false });
});

it('a restart finds the session and takes no login', async () => {
  const app = startApp();
  await app.client.request({ url: '/orders' });

  const { client, wx } = app.restart();

  expect(client.session).toEqual({ userId: 'user-1', isNew: false });
  expect(await endOf(client.request({ url: '/orders' }))).toBe('done');
  expect(wx.state.logins).toBe(0);
});

it.each(['not JSON', '{"v":2,"session":{"token":"other"}}', '{"v":1}', 'null', '[]'])(
  'what is stored and not ours (%s) is a device where nobody has logged in',
  async (stored) => {
    const app = startApp();
    app.wx.api.setStorageSync(`wechat-login https://login.example.com/prod `, stored);
    expect(await endOf(app.client.request({ url: '/orders' }))).toBe('done');
    expect(app.wx.state.logins).toBe(1);
  },
);

it('single-page mode and plugins, which have no wx.login, are a clear error', async () => {
  const singlePage = startApp();
  singlePage.wx.state.scene = 1154;
  expect(await endOf(singlePage.client.token())).toBe('single_page');
  expect(singlePage.wx.state.logins).toBe(0);

  const plugin = startApp();
  Reflect.deleteProperty(plugin.wx.api, 'login');
  expect(await endOf(plugin.client.token())).toBe('single_page');
});

it.each([
  ['a page of the Wi-Fi', { status: 200, body: '<html>' }],
  ['no user', success({ token: 'secret-token-1', expires_in: 600 })],
  ['no token', success({ user_id: 'user-1', expires_in: 600 })],
  ['no life of the token', success({ user_id: 'user-1', token: 'secret-token-1' })],
])('a login that is answered with %s is unavailable', async (_, reply) => {
  const { client, service } = startApp();
  service.routes.set('POST /member/login', () => reply);
  expect(await endOf(client.login())).toBe('unavailable');
  expect(client.session).toBeUndefined();
});

it('change tells who is logged in, once per change, until one stops listening', async () => {
  const { client } = startApp();
  const seen: unknown[] = [];
  const stop = client.on('change', (session) => seen.push(session));

  await client.login();
  await client.login({ force: true });
  await client.logout();
  await settle();
  stop();
  await client.login();
  await settle();

  expect(seen).toEqual([{ userId: 'user-1', isNew: true }, undefined]);
});

it('two clients that hand over the same listener each stop their own', async () => {
  const { client, library } = startApp();
  const twin = library.createLoginClient({ baseUrl: BASE_URL });
  let heard = 0;
  const listener = () => heard++;
  client.on('change', listener);
  const stop = twin.on('change', listener);

  stop();
  await client.login();
  await settle();

  expect(heard).toBe(1);
});
