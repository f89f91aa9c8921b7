import { describe, expect, it } from 'vitest';
import { endOf, endsOf, promiseKinds, settle, startApp } from './fixtures/app.ts';
import { bareRefusal, failure, success } from './fixtures/service.ts';

const hundred = Array.from({ length: 100 }, (_, index) => index);

/** Refusals that say the token is not accepted. */
const refusals = [
  ['401 unauthorized', failure(401, 'unauthorized')],
  ['403 token_revoked', failure(403, 'token_revoked')],
  ['a bare 401', bareRefusal(401)],
  ['a bare 403', bareRefusal(403)],
] as const;

describe.each(promiseKinds)('with a Promise of %s', (kind) => {
  it.each(refusals)('%s of an ended token takes one login and one repetition', async (_, refusal) => {
    const { client, service, wx } = startApp({ kind });
    await client.request({ url: '/orders' });
    const old = await client.token();
    service.routes.set('POST /orders', ({ header }) =>
      header.authorization === `Bearer ${old}` ? refusal : success({ ordered: true }),
    );

    const answer = await client.request({ url: '/orders', method: 'POST', data: { item: 1 } });

    expect(answer).toEqual({ ordered: true });
    expect(wx.state.logins).toBe(2);
    expect(wx.sentTo('/orders').filter(({ body }) => body === '{"item":1}')).toHaveLength(2);
  });

  it('a refusal of an old token after a new one exists is sent again with the new one, without a login', async () => {
    const { client, service, wx } = startApp({ kind });
    const old = await client.token();
    const letGo = wx.hold('/prod/orders');
    const late = client.request({ url: '/orders' });
    await client.login({ force: true });
    service.routes.set('GET /orders', ({ header }) =>
      header.authorization === `Bearer ${old}` ? failure(401, 'unauthorized') : success({ fresh: true }),
    );
    letGo();

    expect(await late).toEqual({ fresh: true });

    expect(wx.state.logins).toBe(2);
    expect(wx.sentTo('/orders')).toHaveLength(2);
  });

  it.each(refusals)(
    '100 calls to a route that always answers %s take at most one wx.login',
    async (_, refusal) => {
      const first = startApp({ kind });
      await first.client.request({ url: '/orders' });
      // A stored token may have ended since.
      const { client, service, wx } = first.restart();
      service.routes.set('GET /admin', () => refusal);

      const together = await endsOf(hundred.slice(50).map(() => client.request({ url: '/admin' })));
      const apart: string[] = [];
      for (const _index of hundred.slice(50)) apart.push(await endOf(client.request({ url: '/admin' })));

      expect(new Set([...together, ...apart])).not.toContain('done');
      expect(wx.state.logins).toBe(1);
    },
  );

  it('100 calls from cold to a route that always answers 403 take the one wx.login that anybody needs, and one more when the app is shown again', async () => {
    const { client, service, wx } = startApp({ kind });
    service.routes.set('GET /admin', () => bareRefusal(403));

    await endsOf(hundred.map(() => client.request({ url: '/admin' })));
    expect(wx.state.logins).toBe(1);

    wx.show();
    await endsOf(hundred.map(() => client.request({ url: '/admin' })));
    expect(wx.state.logins).toBe(2);
  });

  it('a route that always answers 403 between others that answer takes one wx.login until the app is shown again', async () => {
    const { client, service, wx } = startApp({ kind });
    service.routes.set('GET /admin', () => bareRefusal(403));
    const visit = async () => {
      for (let turn = 0; turn < 10; turn++) {
        const ends = await endsOf(
          ['/orders', '/admin', '/admin', '/orders'].map((url) => client.request({ url })),
        );
        expect(ends).toEqual(['done', 'unavailable', 'unavailable', 'done']);
      }
    };

    await client.request({ url: '/orders' });
    await visit();
    expect(wx.state.logins).toBe(2);

    wx.show();
    await visit();
    expect(wx.state.logins).toBe(3);
  });

  it('a 403 survives a fresh login also when another route accepted the fresh token in between', async () => {
    const before = startApp({ kind });
    await before.client.request({ url: '/orders' });
    const { client, service, wx } = before.restart();
    let letGo = () => {};
    service.routes.set('GET /admin', () => {
      letGo = wx.hold('/prod/admin');
      return bareRefusal(403);
    });
    const refused = endOf(client.request({ url: '/admin' }));
    await settle();
    expect(wx.state.logins).toBe(1);
    await client.request({ url: '/orders' });
    letGo();

    expect(await refused).toBe('unavailable');
    expect(wx.state.logins).toBe(1);
  });

  it.each(['user_banned', 'login_blocked', 'forbidden'])(
    'a route that answers %s causes no login',
    async (error) => {
      const { client, service, wx } = startApp({ kind });
      await client.request({ url: '/orders' });
      service.routes.set('GET /admin', () => failure(403, error));

      expect(await endOf(client.request({ url: '/admin' }))).toBe(error);

      expect(wx.state.logins).toBe(1);
      expect(wx.sentTo('/admin')).toHaveLength(1);
    },
  );

  it('a refused request rejects with user_changed when the login brings another user, and is not repeated', async () => {
    const { client, service, wx } = startApp({ kind });
    await client.request({ url: '/orders' });
    service.revokeAll();
    service.routes.set('POST /member/login', () =>
      success({ user_id: 'somebody-else', token: 'secret-token-other', expires_in: 600 }),
    );

    expect(await endOf(client.request({ url: '/pay', method: 'POST', data: {} }))).toBe('user_changed');

    expect(wx.sentTo('/pay')).toHaveLength(1);
    expect(client.session?.userId).toBe('somebody-else');
  });

  it('a request that was not yet sent goes out as the user whom the login brings', async () => {
    const { client, clock, service } = startApp({ kind });
    await client.token();
    clock.now += 8 * 24 * 3600 * 1000;
    service.tokens.set('secret-token-other', { userId: 'somebody-else', openid: '', isRevoked: false });
    service.routes.set('POST /member/login', () =>
      success({ user_id: 'somebody-else', token: 'secret-token-other', expires_in: 600 }),
    );

    expect(await client.request({ url: '/orders' })).toEqual({ user_id: 'somebody-else' });
  });
});

it('a refusal with an error of another kind is an error, with what its body says', async () => {
  const { client, service, wx } = startApp();
  service.routes.set('GET /orders', () => failure(429, 'rate_limited', { 'Retry-After': '30' }));

  const error = await client.request({ url: '/orders' }).then(undefined, (reason: unknown) => reason);

  expect(error).toMatchObject({
    name: 'LoginError',
    code: 'rate_limited',
    message: 'text of rate_limited',
    status: 429,
    requestId: 'request-1',
    retryAfter: 30,
  });
  expect(wx.state.logins).toBe(1);
});

it('login({ force: true }) is the way out of a token that was refused for good', async () => {
  const { client, service, wx } = startApp();
  service.routes.set('GET /orders', () => bareRefusal(401));
  expect(await endOf(client.request({ url: '/orders' }))).toBe('unavailable');
  service.revokeAll();
  service.routes.clear();

  await client.login({ force: true });

  expect(await endOf(client.request({ url: '/orders' }))).toBe('done');
  expect(wx.state.logins).toBe(2);
});
