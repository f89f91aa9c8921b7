import { describe, expect, it } from 'vitest';
import { endOf, endsOf, promiseKinds, settle, startApp } from './fixtures/app.ts';
import { failure } from './fixtures/service.ts';

const DAY = 24 * 3600 * 1000;
const ten = Array.from({ length: 10 }, (_, index) => index);

describe.each(promiseKinds)('with a Promise of %s', (kind) => {
  it('a token is not refreshed above half its life', async () => {
    const { client, clock, wx } = startApp({ kind });
    await client.token();
    clock.now += 3.4 * DAY;
    await client.request({ url: '/orders' });
    await settle();
    expect(wx.sentTo('/member/refresh')).toEqual([]);
  });

  it('below half its life a token is refreshed once in the background, while requests go out with the old one', async () => {
    const { client, clock, wx } = startApp({ kind });
    const old = await client.token();
    clock.now += 4 * DAY;
    const letGo = wx.hold('/prod/member/refresh');

    const ends = await endsOf(ten.map(() => client.request({ url: '/orders' })));
    letGo();
    await settle();

    expect(ends).toEqual(ten.map(() => 'done'));
    expect(wx.sentTo('/member/refresh')).toHaveLength(1);
    for (const { header } of wx.sentTo('/orders')) expect(header.authorization).toBe(`Bearer ${old}`);
    expect(await client.token()).not.toBe(old);
    expect(wx.state.logins).toBe(1);
  });

  it('in its last minute a token is refreshed before requests go out, once for all', async () => {
    const { client, clock, wx } = startApp({ kind });
    const old = await client.token();
    clock.now += 7 * DAY - 59_000;

    await endsOf(ten.map(() => client.request({ url: '/orders' })));

    expect(wx.sentTo('/member/refresh')).toHaveLength(1);
    for (const { header } of wx.sentTo('/orders')) expect(header.authorization).not.toBe(`Bearer ${old}`);
    expect(wx.state.logins).toBe(1);
  });

  it('while the token is valid a refresh that fails makes no request fail, is tried once a minute, and is reported', async () => {
    const { client, clock, service, wx } = startApp({ kind });
    await client.token();
    service.routes.set('POST /member/refresh', () => failure(503, 'unavailable'));
    const errors: string[] = [];
    client.on('error', ({ code }) => errors.push(code));

    for (const lifeUsed of [4 * DAY, 7 * DAY - 50_000]) {
      const before = wx.sentTo('/member/refresh').length;
      clock.now = Date.UTC(2026, 0, 1) + lifeUsed;
      for (let turn = 0; turn < 5; turn++) {
        const ends = await endsOf(ten.map(() => client.request({ url: '/orders' })));
        expect(ends).toEqual(ten.map(() => 'done'));
        await settle();
        clock.now += 5_000;
      }
      expect(wx.sentTo('/member/refresh')).toHaveLength(before + 1);
    }
    expect(errors).toEqual(['unavailable', 'unavailable']);
    expect(wx.state.logins).toBe(1);
  });

  it('a refresh that fails is tried again after a minute', async () => {
    const { client, clock, wx } = startApp({ kind });
    await client.token();
    clock.now += 4 * DAY;
    wx.lose('/member/refresh', 'before');
    await client.request({ url: '/orders' });
    await settle();
    clock.now += 60_000;
    await client.request({ url: '/orders' });
    await settle();
    expect(wx.sentTo('/member/refresh')).toHaveLength(2);
  });

  it('a refresh that is refused in the last minute is followed by one login', async () => {
    const { client, clock, service, wx } = startApp({ kind });
    await client.token();
    service.routes.set('POST /member/refresh', () => failure(401, 'unauthorized'));
    clock.now += 7 * DAY - 30_000;

    const ends = await endsOf(ten.map(() => client.request({ url: '/orders' })));

    expect(ends).toEqual(ten.map(() => 'done'));
    expect(wx.sentTo('/member/refresh')).toHaveLength(1);
    expect(wx.state.logins).toBe(2);
  });

  it('a refresh that was refused is not tried again: the token is used until its last minute', async () => {
    const { client, clock, service, wx } = startApp({ kind });
    await client.token();
    service.routes.set('POST /member/refresh', () => failure(401, 'unauthorized'));
    for (const days of [4, 5, 6]) {
      clock.now = Date.UTC(2026, 0, 1) + days * DAY;
      expect(await endOf(client.request({ url: '/orders' }))).toBe('done');
      await settle();
    }
    expect(wx.sentTo('/member/refresh')).toHaveLength(1);
    expect(wx.state.logins).toBe(1);
  });

  it('an ended token takes a login and no refresh', async () => {
    const { client, clock, wx } = startApp({ kind });
    await client.token();
    clock.now += 7 * DAY;
    expect(await endOf(client.request({ url: '/orders' }))).toBe('done');
    expect(wx.sentTo('/member/refresh')).toEqual([]);
    expect(wx.state.logins).toBe(2);
  });

  it('a refresh that ends after another login does not bring the old login back', async () => {
    const { client, clock, wx } = startApp({ kind });
    await client.token();
    clock.now += 4 * DAY;
    const letGo = wx.hold('/prod/member/refresh');
    await client.request({ url: '/orders' });
    await client.login({ force: true });
    const fresh = await client.token();
    letGo();
    await settle();
    expect(await client.token()).toBe(fresh);
  });

  it('a refresh that fails after another login is reported to nobody', async () => {
    const { client, clock, service, wx } = startApp({ kind });
    await client.token();
    clock.now += 4 * DAY;
    const letGo = wx.hold('/prod/member/refresh');
    await client.request({ url: '/orders' });
    const errors: string[] = [];
    client.on('error', ({ code }) => errors.push(code));
    await client.login({ force: true });
    service.routes.set('POST /member/refresh', () => failure(503, 'unavailable'));
    letGo();
    await settle();

    expect(errors).toEqual([]);
  });

  it('a refresh that failed is tried again where the clock was set back since', async () => {
    const { client, clock, wx } = startApp({ kind });
    await client.token();
    clock.now += 4 * DAY;
    wx.lose('/member/refresh', 'before');
    await client.request({ url: '/orders' });
    await settle();
    clock.now -= DAY / 24;

    await client.request({ url: '/orders' });
    await settle();

    expect(wx.sentTo('/member/refresh')).toHaveLength(2);
  });

  it.each([1, -1])('a device clock that is %i day off takes no further login', async (days) => {
    const { client, clock, wx } = startApp({ kind });
    clock.now += days * DAY;
    await client.token();
    for (let hour = 0; hour < 48; hour++) {
      clock.now += 3600 * 1000;
      expect(await endOf(client.request({ url: '/orders' }))).toBe('done');
    }
    expect(wx.state.logins).toBe(1);
  });

  it.each([1, -1])(
    'a device clock that jumps by %i day takes no further login, after a restart neither',
    async (days) => {
      const app = startApp({ kind });
      await app.client.token();
      app.clock.now += days * DAY;
      for (const { client, wx } of [app, app.restart()]) {
        const before = wx.state.logins;
        expect(await endsOf(ten.map(() => client.request({ url: '/orders' })))).toEqual(
          ten.map(() => 'done'),
        );
        expect(wx.state.logins).toBe(before);
        expect(wx.sentTo('/member/refresh')).toEqual([]);
      }
    },
  );
});
