import { describe, expect, it } from 'vitest';
import { type App, endOf, promiseKinds, settle, startApp } from './fixtures/app.ts';
import { failure, success } from './fixtures/service.ts';

const DAY = 24 * 3600 * 1000;

/** Nobody is logged in, now or after a restart, and nothing logs in silently. */
async function expectLoggedOut(app: App): Promise<void> {
  for (const { client, wx } of [app, app.restart()]) {
    const before = wx.state.logins;
    expect(client.session).toBeUndefined();
    expect(await endOf(client.token())).toBe('logged_out');
    expect(await endOf(client.request({ url: '/orders' }))).toBe('logged_out');
    wx.show();
    expect(await endOf(client.me())).toBe('logged_out');
    await settle();
    expect(wx.state.logins).toBe(before);
    expect(client.session).toBeUndefined();
  }
}

describe.each(promiseKinds)('with a Promise of %s', (kind) => {
  it('a logout ends the login here and at the service, until login() is called', async () => {
    const app = startApp({ kind });
    const token = await app.client.token();

    await app.client.logout();

    expect(app.service.tokens.get(token)?.isRevoked).toBe(true);
    await expectLoggedOut(app);
    await app.client.login();
    expect(await endOf(app.client.request({ url: '/orders' }))).toBe('done');
  });

  it('a logout during a refresh stays a logout', async () => {
    const app = startApp({ kind });
    const { client, clock, wx } = app;
    await client.token();
    clock.now += 7 * DAY - 30_000;
    const letGo = wx.hold('/prod/member/refresh');
    const waiting = endOf(client.request({ url: '/orders' }));
    await settle();

    await client.logout();
    expect(await waiting).toBe('logged_out');
    letGo();
    await settle();

    expect(wx.sentTo('/member/refresh')).toHaveLength(1);
    await expectLoggedOut(app);
  });

  it.each(['wx.login', '/prod/member/login'])(
    'a logout while %s is on its way stays a logout',
    async (held) => {
      const app = startApp({ kind });
      const { client, wx } = app;
      const letGo = wx.hold(held);
      const waiting = endOf(client.request({ url: '/orders' }));
      await settle();

      await client.logout();
      expect(await waiting).toBe('logged_out');
      letGo();
      await settle();

      await expectLoggedOut(app);
    },
  );

  it('a login that ends in a ban after a logout leaves a logout', async () => {
    const app = startApp({ kind });
    app.service.routes.set('POST /member/login', () => failure(403, 'user_banned'));
    const letGo = app.wx.hold('/prod/member/login');
    const waiting = endOf(app.client.login());
    await settle();
    await app.client.logout();
    letGo();
    expect(await waiting).toBe('logged_out');
    await settle();

    await expectLoggedOut(app);
  });

  it('a logout after a ban is a logout', async () => {
    const app = startApp({ kind });
    app.service.routes.set('POST /member/login', () => failure(403, 'user_banned'));
    expect(await endOf(app.client.token())).toBe('user_banned');

    await app.client.logout();

    await expectLoggedOut(app);
  });

  it('a request during a login that was asked for after a logout waits for it', async () => {
    const { client, wx } = startApp({ kind });
    await client.logout();
    const letGo = wx.hold('wx.login');
    const login = endOf(client.login());
    const request = endOf(client.request({ url: '/orders' }));
    await settle();
    letGo();

    expect([await login, await request]).toEqual(['done', 'done']);
    expect(wx.state.logins).toBe(1);
  });

  it('logins that are asked for right after a logout are one, whatever becomes of the one before', async () => {
    const { client, wx } = startApp({ kind });
    const letGo = wx.hold('/prod/member/login');
    const before = endOf(client.login());
    await settle();
    void client.logout();
    const first = endOf(client.login());
    await settle();
    const second = endOf(client.login());
    letGo();

    expect([await before, await first, await second]).toEqual(['logged_out', 'done', 'done']);
    expect(wx.state.logins).toBe(2);
  });

  it('a logout while a lost login is about to take a fresh code takes none', async () => {
    const { client, wx } = startApp({ kind });
    wx.lose('/member/login', 'before');
    const letGo = wx.hold('/prod/member/login');
    const waiting = endOf(client.login());
    await settle();

    await client.logout();
    letGo();
    expect(await waiting).toBe('logged_out');
    await settle();

    expect(wx.state.logins).toBe(1);
    expect(wx.sentTo('/member/login')).toHaveLength(1);
  });

  it('a logout offline resolves, is reported, and is a logout after a restart too', async () => {
    const app = startApp({ kind });
    await app.client.token();
    const errors: string[] = [];
    app.client.on('error', ({ code }) => errors.push(code));
    app.wx.state.isOffline = true;

    await app.client.logout({ all: true });
    await settle();

    expect(errors).toEqual(['network']);
    app.wx.state.isOffline = false;
    await expectLoggedOut(app);
  });

  it('the mark of a logout is written before the network is asked', async () => {
    const app = startApp({ kind });
    await app.client.token();
    app.wx.hold('/prod/member/logout');

    void app.client.logout();

    expect(await endOf(app.restart().client.token())).toBe('logged_out');
  });

  it('a login after a logout does not wait for the one before, and wx.login is in flight once', async () => {
    const { client, wx } = startApp({ kind });
    const letGo = wx.hold('wx.login');
    const first = endOf(client.login());
    await settle();
    await client.logout();
    const second = endOf(client.login());
    await settle();
    letGo();

    expect(await first).toBe('logged_out');
    expect(await second).toBe('done');
    expect(wx.state.mostLoginsInFlight).toBe(1);
    expect(wx.sentTo('/member/login')).toHaveLength(1);
  });

  it('a request that is refused after a logout rejects with logged_out and takes no login', async () => {
    const app = startApp({ kind });
    await app.client.token();
    const letGo = app.wx.hold('/prod/orders');
    const late = endOf(app.client.request({ url: '/orders' }));
    await settle();
    await app.client.logout();
    letGo();

    expect(await late).toBe('logged_out');
    await expectLoggedOut(app);
  });

  it('deleteMe ends like a logout', async () => {
    const app = startApp({ kind });

    expect(await app.client.deleteMe()).toEqual({ erased: true });

    const [deletion] = app.wx.seen.filter(({ method }) => method === 'DELETE');
    expect(deletion?.body).toBe('');
    await expectLoggedOut(app);
  });

  it('a deletion that was done and whose response is lost makes no new account, not even after a restart', async () => {
    const app = startApp({ kind });
    await app.client.token();
    app.wx.lose('/prod/member/me', 'after');

    expect(await endOf(app.client.deleteMe())).toBe('network');

    const { client } = app.restart();
    expect(await endOf(client.request({ url: '/orders' }))).toBe('logged_out');
    await expectLoggedOut(app.restart());
  });

  it('a deletion whose response is lost can be asked for again, with the same token', async () => {
    for (const loss of ['before', 'after'] as const) {
      const app = startApp({ kind });
      await app.client.token();
      app.wx.lose('/prod/member/me', loss);
      expect(await endOf(app.client.deleteMe())).toBe('network');

      const end = await endOf(app.client.deleteMe());

      expect(end).toBe(loss === 'before' ? 'done' : 'token_revoked');
      expect(app.wx.state.logins).toBe(1);
      await expectLoggedOut(app);
    }
  });

  it('a deletion that the service failed at, or that the app did not outlive, makes no new account', async () => {
    for (const isKilled of [false, true]) {
      const app = startApp({ kind });
      const { client, service, wx } = app;
      await client.token();
      service.routes.set('DELETE /member/me', () => failure(503, 'unavailable'));
      if (isKilled) wx.hold('/prod/member/me');
      const deletion = endOf(client.deleteMe());
      if (!isKilled) expect(await deletion).toBe('unavailable');
      else await settle();
      service.revokeAll();

      expect(await endOf(app.restart().client.request({ url: '/orders' }))).toBe('logged_out');
      expect(wx.state.logins).toBe(1);
    }
  });

  it('a deletion that did not happen leaves the member logged in, and a login by hand ends the doubt', async () => {
    const app = startApp({ kind });
    const { client, service, wx } = app;
    await client.request({ url: '/orders' });
    service.routes.set('DELETE /member/me', () => failure(429, 'rate_limited'));
    expect(await endOf(client.deleteMe())).toBe('rate_limited');
    service.revokeAll();
    expect(await endOf(client.request({ url: '/orders' }))).toBe('done');
    expect(wx.state.logins).toBe(2);

    wx.lose('/prod/member/me', 'before');
    expect(await endOf(client.deleteMe())).toBe('network');
    expect(await endOf(client.request({ url: '/orders' }))).toBe('done');
    await client.login();
    expect(wx.state.logins).toBe(3);
    await client.request({ url: '/orders' });
    service.revokeAll();
    expect(await endOf(client.request({ url: '/orders' }))).toBe('done');
  });

  it('a refresh that ends after a lost deletion brings no login back', async () => {
    const app = startApp({ kind });
    const { client, clock, service, wx } = app;
    await client.token();
    clock.now += 4 * DAY;
    // The service had done it before the deletion.
    const late = { user_id: 'user-1', token: 'secret-token-late', expires_in: 600 };
    service.routes.set('POST /member/refresh', () => success(late));
    const letGo = wx.hold('/prod/member/refresh');
    await client.request({ url: '/orders' });
    wx.lose('/prod/member/me', 'after');
    expect(await endOf(client.deleteMe())).toBe('network');
    letGo();
    await settle();

    expect(await endOf(client.request({ url: '/orders' }))).toBe('logged_out');
    await expectLoggedOut(app);
  });

  it('a token whose deletion was lost is not refreshed, which would end the doubt', async () => {
    const { client, clock, wx } = startApp({ kind });
    await client.token();
    wx.lose('/prod/member/me', 'before');
    expect(await endOf(client.deleteMe())).toBe('network');
    clock.now += 4 * DAY;

    expect(await endOf(client.request({ url: '/orders' }))).toBe('done');
    await settle();

    expect(wx.sentTo('/member/refresh')).toEqual([]);
  });

  it('a refused deletion causes no login, which would make a new account', async () => {
    const { client, service, wx } = startApp({ kind });
    await client.request({ url: '/orders' });
    service.revokeAll();

    expect(await endOf(client.deleteMe())).toBe('token_revoked');

    expect(wx.state.logins).toBe(1);
  });
});
