import { expect, it } from 'vitest';
import { createLoginClient, type MiniProgramHost, taro, uni, web, wechat } from '../src/index.ts';
import { BASE_URL, endOf, settle, startApp } from './fixtures/app.ts';
import { createService } from './fixtures/service.ts';

it('uni is used like wx', async () => {
  const { wx, library } = startApp();
  const client = library.createLoginClient({ baseUrl: BASE_URL, platform: uni(wx.api) });
  expect(await client.request({ url: '/orders' })).toEqual({ user_id: 'user-1' });
  expect(await endOf(client.logout())).toBe('done');
});

it("Taro's promises, which reject beside fail, are not reported as unhandled", async () => {
  const { wx } = startApp();
  const alsoPromise = <O extends { fail(failure: { errMsg: string }): void }>(
    call: (options: O) => unknown,
  ) => {
    return (options: O) => {
      const promise = new Promise((_, reject) => {
        const fail: O['fail'] = (failure) => {
          options.fail(failure);
          reject(failure);
        };
        call({ ...options, fail });
      });
      return Object.assign(promise, { abort: () => undefined });
    };
  };
  const host: MiniProgramHost = {
    ...wx.api,
    login: alsoPromise(wx.api.login),
    request: alsoPromise(wx.api.request),
  };
  const client = createLoginClient({ baseUrl: BASE_URL, platform: taro(host) });
  const unhandled: unknown[] = [];
  const listen = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', listen);

  wx.state.isOffline = true;
  expect(await endOf(client.request({ url: '/orders' }))).toBe('network');
  wx.state.isOffline = false;
  await client.login();
  wx.state.isOffline = true;
  expect(await endOf(client.request({ url: '/orders' }))).toBe('network');
  await settle();
  process.off('unhandledRejection', listen);

  expect(unhandled).toEqual([]);
});

it('web takes a fetch and a code from elsewhere, and keeps the session as long as the page', async () => {
  const service = createService({ baseUrl: BASE_URL, now: () => 0 });
  let codes = 0;
  const platform = web({
    fetch: async (url, { method, headers, body }) => {
      const reply = service.handle({ method, url, header: headers, body: body ?? '' });
      return new Response(reply?.body ?? '', { status: reply?.status ?? 404, headers: reply?.header ?? {} });
    },
    getCode: async () => `openid-1 web-${++codes}`,
  });
  const client = createLoginClient({ baseUrl: BASE_URL, platform });

  expect(await client.request({ url: '/orders' })).toEqual({ user_id: 'user-1' });
  service.revokeAll();
  expect(await client.request({ url: '/orders', method: 'PUT', data: {} })).toEqual({ user_id: 'user-1' });
  expect(await endOf(client.request({ url: 'https://elsewhere.example.com' }))).toBe('unavailable');
  await client.logout();

  expect(await endOf(client.token())).toBe('logged_out');
  expect(codes).toBe(2);
});

it('the types of web fit the real fetch, whose failures are network', async () => {
  const client = createLoginClient({
    baseUrl: 'http://127.0.0.1:1',
    platform: web({ fetch, getCode: async () => 'code' }),
  });
  expect(await endOf(client.login())).toBe('network');
});

it('without wx the platform has to be named', () => {
  expect(() => wechat()).toThrow(TypeError);
  expect(() => createLoginClient({ baseUrl: BASE_URL })).toThrow(/There is no wx/);
});

it('where the platform cannot abort, the refusal of an aborted request causes no login', async () => {
  const service = createService({ baseUrl: BASE_URL, now: () => 0 });
  let codes = 0;
  let letGo = () => {};
  let held: Promise<void> | undefined;
  const platform = web({
    fetch: async (url, { method, headers, body }) => {
      await held;
      const reply = service.handle({ method, url, header: headers, body: body ?? '' });
      return new Response(reply?.body ?? '', { status: reply?.status ?? 404 });
    },
    getCode: async () => `openid-1 web-${++codes}`,
  });
  const client = createLoginClient({ baseUrl: BASE_URL, platform });
  await client.request({ url: '/orders' });
  service.revokeAll();
  held = new Promise((resolve) => {
    letGo = resolve;
  });
  const aborted = client.request({ url: '/orders' });
  const end = endOf(aborted);
  await settle();

  aborted.abort();
  letGo();
  await settle();

  expect(await end).toBe('aborted');
  expect(codes).toBe(1);
});
