/** What every response of the service says, whoever sends it: a function, a document, or API Gateway by itself. */
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Route, routes } from '../../functions/contracts/routes.ts';
import { breakWechat, expectCleanLogs, healWechat, keepSecret, logIn, post, wxLogin } from './service.ts';

let token: string;
let revoked: string;

beforeAll(async () => {
  [token, revoked] = (await Promise.all([logIn(), logIn()])).map((login) => login.token) as [string, string];
  expect((await post('/member/logout', '', { authorization: `Bearer ${revoked}` })).status).toBe(200);
});
afterEach(healWechat);
afterAll(expectCleanLogs);

/** Sends a request, and checks what holds for every response. */
async function send(method: string, path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(inject('baseUrl') + path, { method, ...init });
  const what = `${method} ${path}: ${response.status}`;
  expect(response.headers.get('x-content-type-options'), what).toBe('nosniff');
  expect(response.headers.get('strict-transport-security'), what).toBe('max-age=31536000');
  if (response.status === 401) {
    // API Gateway renames the header where a function sets it.
    const challenge = ['www-authenticate', 'x-amzn-remapped-www-authenticate'].map((name) =>
      response.headers.get(name),
    );
    expect(challenge.filter(Boolean), what).toHaveLength(1);
  }
  if (response.status === 405) expect(response.headers.get('allow'), what).toBe(allowedAt(path));
  return response;
}

const withToken = (text: string): RequestInit => ({ headers: { authorization: `Bearer ${text}` } });
const all = routes as readonly Route[];
const paths = [...new Set(all.map(({ path }) => path))];
const methodsAt = (path: string) =>
  all
    .filter((route) => route.path === path)
    .flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
const allowedAt = (path: string): string => methodsAt(path).join(', ');

describe('every response', () => {
  it.each(all.filter(({ method, auth }) => method === 'GET' && auth !== 'wechat').map(({ path }) => path))(
    'is the same for HEAD as for GET, without the body: %s',
    async (path) => {
      const [read, probed] = [
        await send('GET', path, withToken(token)),
        await send('HEAD', path, withToken(token)),
      ];

      expect([read.status, probed.status]).toEqual([200, 200]);
      for (const name of ['content-type', 'cache-control'])
        expect(probed.headers.get(name), name).toBe(read.headers.get(name));
      expect(await probed.text()).toBe('');
      expect(await read.text()).not.toBe('');
    },
  );

  it.each(paths)('names the methods of %s where it refuses another one', async (path) => {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      if (methodsAt(path).includes(method)) continue;
      expect((await send(method, path, withToken(token))).status, method).toBe(405);
    }
  });

  it.each(['/', '/nowhere', '/member', '/member/nowhere', '/.well-known', '/member/me/x'])(
    'says that there is no %s, to members too, whose token is no signature of AWS',
    async (path) => {
      for (const init of [{}, withToken(token), withToken('nonsense')])
        for (const method of ['GET', 'POST']) {
          const response = await send(method, path, init);
          expect([response.status, await response.json()]).toEqual([
            404,
            expect.objectContaining({ error: 'not_found' }),
          ]);
        }
    },
  );

  it('challenges those who come without a good token', async () => {
    for (const { method, path } of all.filter(({ auth }) => auth === 'token'))
      for (const init of [{}, withToken('nonsense'), { headers: { authorization: 'Basic eDp5' } }]) {
        const response = await send(method, path, init);
        expect([response.status, response.headers.get('www-authenticate')], path).toEqual([401, 'Bearer']);
      }
  });

  it('asks for another code, and for no token, where the code is not good', async () => {
    const used = await wxLogin();
    const login = (code: string) =>
      send('POST', '/member/login', {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code }),
      });
    expect((await login(used)).status).toBe(200);

    for (const code of ['the code is a mock one', keepSecret('0InventedCodeOfNobodyAtAll00000000')]) {
      const response = await login(code);
      expect([response.status, response.headers.get('x-amzn-remapped-www-authenticate')]).toEqual([
        401,
        'WeChat realm="wx.login"',
      ]);
    }
  });

  it.each<[string, number, RequestInit]>([
    ['invalid_request', 400, { body: '[]' }],
    ['missing_code', 400, { body: '{}' }],
    ['payload_too_large', 413, { body: JSON.stringify({ code: 'x'.repeat(17 * 1024) }) }],
    ['unsupported_media_type', 415, { body: '<a/>', headers: { 'content-type': 'text/xml' } }],
  ])('has the same headers with %s', async (error, status, init) => {
    const response = await send('POST', '/member/login', {
      headers: { 'content-type': 'application/json' },
      ...init,
    });

    expect([response.status, ((await response.json()) as { error: string }).error]).toEqual([status, error]);
  });

  it('has the same headers with a denial, and with every failure of WeChat', async () => {
    expect((await send('GET', '/member/me', withToken(revoked))).status).toBe(403);
    for (const [errcode, status] of [
      [45011, 429],
      [40226, 403],
      [-1, 503],
    ] as const) {
      await breakWechat({ fault: 'errcode', errcode, times: 10 });
      const response = await send('POST', '/member/login', {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code: await wxLogin() }),
      });
      expect([errcode, response.status]).toEqual([errcode, status]);
      await healWechat();
    }
  });
});
