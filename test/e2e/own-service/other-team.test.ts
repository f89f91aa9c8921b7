import { once } from 'node:events';
import { request } from 'node:http';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { decodeJwt } from 'jose';
import { WebSocket } from 'undici';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Example, startExample, synthesizeExample } from '../../../bin/start/example.ts';
import { parseKeyRing } from '../../../functions/keys/key-ring.ts';
import { importSigningKey } from '../../../functions/keys/signing-key.ts';
import { createTokenMinter } from '../../../functions/tokens/mint.ts';

import type { LocalService } from '../../../local/service.ts';
import { readPreparedExample, startApp } from '../../examples/host/app.ts';
import { createWx, type Reply, type Sent } from '../../examples/host/wx.ts';
import { startSharedStack } from '../../fixtures/local-service.ts';

import { localIdentity } from '../../fixtures/users-table.ts';

const AUDIENCE = 'wechat-login';

let service: LocalService;
const logs: { readonly functionId: string; readonly line: string }[] = [];
const tokens: string[] = [];

let example: Example;

beforeAll(async () => {
  const assembly = synthesizeExample('dev');
  assembly.catch(() => {});
  const onLog = (functionId: string, line: string) => logs.push({ functionId, line });
  service = await startSharedStack({ onLog });
  example = await startExample(service, await assembly, { onLog });
});

afterAll(async () => {
  await example.close();
  await service.close();
});

/** How often the example's copy of the authorizer has let this user in. */
const decisionsOn = (userId: string): number =>
  logs.filter(
    ({ functionId, line }) =>
      functionId.startsWith('AuthFunction') && line.includes('"decision":"allow"') && line.includes(userId),
  ).length;

interface Login {
  readonly userId: string;
  readonly token: string;
}

async function logIn(name: string): Promise<Login> {
  const response = await fetch(`${service.url}/member/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code: `demo-${name}` }),
  });
  expect(response.status).toBe(200);
  const { data } = (await response.json()) as { data: { user_id: string; token: string } };
  tokens.push(data.token);
  return { userId: data.user_id, token: data.token };
}

/** A token with the right signature that ends when it is told to, which no login gives. */
async function tokenThatEnds(login: Login, inSeconds: number): Promise<string> {
  const secrets = new SecretsManagerClient({ ...localIdentity, endpoint: service.secretsManagerEndpoint });
  const SecretId = String(service.resolver.names('KeyRingSecret73EFAB8B').ref);
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId }));
  secrets.destroy();
  const ring = parseKeyRing(SecretString);
  if (ring === undefined) throw new Error('There is no key ring');
  const minter = createTokenMinter({
    signingKey: () => importSigningKey(ring.current),
    issuer: service.url,
    audience: AUDIENCE,
    lifetimeSeconds: 3600,
    now: () => Date.now() + (inSeconds - 3600) * 1000,
  });
  const [{ appid }] = service.miniPrograms;
  const { token } = await minter.mint({ userId: login.userId, appid });
  tokens.push(token);
  return token;
}

type Headers = Readonly<Record<string, string>>;
const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });

interface Answer {
  readonly status: number;
  readonly body: { readonly user_id?: string };
}

async function call(url: string, method: string, headers: Headers): Promise<Answer> {
  const response = await fetch(url, { method, headers });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

/** Opens a WebSocket as far as the answer to the upgrade; 101 means that it is open. */
async function connect(headers: Headers): Promise<Answer> {
  const upgrade = request(example.webSocketUrl.replace('ws:', 'http:'), {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    },
  });
  const answered = Promise.race([once(upgrade, 'upgrade'), once(upgrade, 'response')]);
  upgrade.end();
  const [response, socket = upgrade] = await answered;
  socket.on('error', () => {}).destroy();
  return { status: response.statusCode, body: {} };
}

/** Every route of the example, and which way it is protected. */
const routes = {
  native: (headers: Headers) => call(example.httpUrl, 'GET', headers),
  'copy, POST': (headers: Headers) => call(example.httpUrl, 'POST', headers),
  'copy, PUT': (headers: Headers) => call(example.httpUrl, 'PUT', headers),
  central: (headers: Headers) => call(example.httpUrl, 'DELETE', headers),
  rest: (headers: Headers) => call(example.restUrl, 'GET', headers),
  webSocket: connect,
};
type RouteName = keyof typeof routes;

const routeNames = Object.keys(routes) as RouteName[];

/** Calls every route, one after another. */
async function statuses(headers: Headers): Promise<Record<RouteName, number>> {
  const answers: [string, number][] = [];
  for (const name of routeNames) answers.push([name, (await routes[name](headers)).status]);
  return Object.fromEntries(answers) as Record<RouteName, number>;
}

const allOpen: Record<RouteName, number> = {
  native: 200,
  'copy, POST': 200,
  'copy, PUT': 200,
  central: 200,
  rest: 200,
  webSocket: 101,
};
const refused = { native: 401, 'copy, POST': 403, 'copy, PUT': 403, central: 403, rest: 401, webSocket: 401 };

describe('routes of another team', () => {
  it('open to the token of a login, and say whose it is', async () => {
    const { userId, token } = await logIn('anna');

    expect(await statuses(bearer(token))).toEqual(allOpen);

    for (const name of routeNames.filter((route) => route !== 'webSocket'))
      expect((await routes[name](bearer(token))).body.user_id, name).toBe(userId);
  });

  it('include a WebSocket, whose messages are answered for who has opened it', async () => {
    const { userId, token } = await logIn('anna');
    const socket = new WebSocket(example.webSocketUrl, { headers: bearer(token) });
    await once(socket, 'open');

    socket.send('what have I ordered?');

    const [message] = await once(socket, 'message');
    expect(JSON.parse(message.data)).toEqual({ user_id: userId, orders: ['oolong tea'] });
    socket.close();
  });

  it('are closed without a token: 401 before anybody is called', async () => {
    const before = logs.length;

    const answers = await statuses({});

    expect(Object.values(answers)).toEqual(Object.values(answers).map(() => 401));
    expect(logs.slice(before)).toEqual([]);
  });

  it('are closed to a bad token, in the words of their kind of API', async () => {
    const { token } = await logIn('bert');
    const [header, payload, signature = ''] = token.split('.');
    const forged = [header, payload, signature.split('').reverse().join('')].join('.');
    const claims = { ...decodeJwt(token), sub: 'somebody-else' };
    const altered = [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');

    for (const bad of ['nonsense', forged, altered, await tokenThatEnds(await logIn('bert'), -60)])
      expect(await statuses(bearer(bad))).toEqual(refused);
  });
});

describe('a decision', () => {
  it('is reused for all routes that share the authorizer, and not by another API', async () => {
    const { userId, token } = await logIn('carl');

    for (let round = 0; round < 3; round++)
      for (const name of ['copy, POST', 'copy, PUT'] as const)
        expect((await routes[name](bearer(token))).body.user_id).toBe(userId);
    expect(decisionsOn(userId)).toBe(1);

    for (let round = 0; round < 2; round++) await routes.rest(bearer(token));
    expect(decisionsOn(userId)).toBe(2);

    for (let round = 0; round < 2; round++) await routes.webSocket(bearer(token));
    expect(decisionsOn(userId)).toBe(4);
  });

  it('is never used for another token, not even of the same user', async () => {
    const [first, second, other] = [await logIn('dora'), await logIn('dora'), await logIn('emil')];

    for (const { userId, token } of [first, second, other, first, second, other])
      expect((await routes['copy, POST'](bearer(token))).body.user_id).toBe(userId);

    expect(decisionsOn(first.userId)).toBe(2);
    expect(decisionsOn(other.userId)).toBe(1);
    expect((await routes['copy, POST'](bearer(`${first.token}x`))).status).toBe(403);
  });
});

describe('a token that has ended', () => {
  it('opens nothing but what still holds an answer, for at most the cache time', async () => {
    const login = await logIn('fred');
    let token: string;
    // Our verifiers forgive a clock that is five seconds off; a busy machine may need more than one try.
    do token = await tokenThatEnds(login, -1);
    while ((await routes['copy, POST'](bearer(token))).status !== 200);

    await expect
      .poll(async () => (await routes.webSocket(bearer(token))).status, { timeout: 120_000 })
      .toBe(401);

    expect(await statuses(bearer(token))).toEqual({ ...refused, 'copy, POST': 200, 'copy, PUT': 200 });
  });
});

describe('a logout', () => {
  it('counts at once where the login service is called, and elsewhere when the token ends', async () => {
    const { token } = await logIn('gina');
    expect(await statuses(bearer(token))).toEqual(allOpen);

    const logout = await fetch(`${service.url}/member/logout`, { method: 'POST', headers: bearer(token) });

    expect(logout.status).toBe(200);
    expect(await statuses(bearer(token))).toEqual({ ...allOpen, central: 403 });
  });
});

it('the example mini-program shows the orders of a member', async () => {
  const answer = async ({ method, url, header, data }: Sent): Promise<Reply> => {
    const target = url
      .replace('http://127.0.0.1:3000', service.url)
      .replace('http://127.0.0.1:3001/orders', example.restUrl);
    const response = await fetch(target, { method, headers: header, body: data ?? null });
    return { statusCode: response.status, data: await response.json(), header: {} };
  };
  const wx = createWx({ login: async () => 'demo-hana', answer });
  const page = startApp(await readPreparedExample(), wx).open('pages/orders/orders');

  await vi.waitFor(() => expect(page.data.status).toMatchObject({ kind: 'ready' }), { timeout: 60_000 });

  expect(page.data.orders).toEqual(['oolong tea']);
});

it('no log line holds a token', () => {
  expect(logs.length).toBeGreaterThan(0);
  expect(tokens.length).toBeGreaterThan(0);
  for (const { line } of logs) for (const token of tokens) expect(line.includes(token)).toBe(false);
});
