import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { outsideChecks } from '../../../bin/doctor/outside-checks.ts';
import { runCommand, spawnCommand } from '../../fixtures/operator-command.ts';
import { createTestKey } from '../../fixtures/tokens.ts';

interface StandIn {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body: unknown;
}

let server: Server;
let url: string;
/** What the deployment answers, by path; each test breaks one. */
let answers: Record<string, StandIn>;

const envelope = (status: number, rest: object): StandIn => ({
  status,
  body: { code: status, msg: 'ok', request_id: 'r-1', ...rest },
});
const { publicJwk: key } = await createTestKey();
const cached = { 'cache-control': 'public, max-age=300' };

const HEALTH = '/health';
const DISCOVERY = '/.well-known/openid-configuration';
const JWKS = '/.well-known/jwks.json';

beforeAll(async () => {
  server = createServer(({ url: path = '', headers: sent }, response) => {
    const authorized = sent.authorization === undefined ? '' : ' with a token';
    const { status, headers, body } = answers[path + authorized] ??
      answers[path] ?? { status: 404, body: '' };
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());
beforeEach(() => {
  answers = {
    [HEALTH]: envelope(200, { data: { version: '1', key_age_seconds: 86_400 } }),
    [DISCOVERY]: { status: 200, headers: cached, body: { issuer: url, jwks_uri: url + JWKS } },
    [JWKS]: { status: 200, headers: cached, body: { keys: [key] } },
    '/member/me': envelope(401, { error: 'unauthorized' }),
  };
});

/** What is wrong with the deployment, by check. */
async function problems(issuer = url): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const deployment = { url, issuer, stage: 'prod', appids: [], keyRotationDays: 30 };
  for (const { name, look } of outsideChecks(deployment))
    await look().catch((error: Error) => {
      found[name] = error.message;
    });
  return found;
}

describe('the checks from outside', () => {
  it('find nothing wrong with a deployment that works', async () => {
    expect(await problems()).toEqual({});
  });

  it('look at one address for an issuer of another, whose domain leads nowhere yet', async () => {
    const issuer = 'https://login.example.com';
    answers[DISCOVERY] = { status: 200, headers: cached, body: { issuer, jwks_uri: issuer + JWKS } };

    expect(await problems(issuer)).toEqual({});
  });

  it.each<[string, string, string, () => StandIn, string]>([
    ['signing key', 'no keys', HEALTH, () => envelope(503, { error: 'unavailable' }), 'no key is published'],
    [
      'signing key',
      'a failure',
      HEALTH,
      () => envelope(500, { error: 'internal' }),
      'answers internal (request r-1)',
    ],
    ['signing key', 'a health of another service', HEALTH, () => envelope(200, {}), 'answers no key age'],
    ['discovery document', 'none', DISCOVERY, () => envelope(404, {}), 'answers 404'],
    [
      'discovery document',
      'HTML',
      DISCOVERY,
      () => ({ status: 200, headers: cached, body: '<p>' }),
      'names no issuer',
    ],
    [
      'discovery document',
      'the issuer before a custom domain',
      DISCOVERY,
      () => ({
        status: 200,
        headers: cached,
        body: { issuer: 'https://old', jwks_uri: `https://old${JWKS}` },
      }),
      'names the issuer https://old and is served at',
    ],
    [
      'discovery document',
      'keys elsewhere',
      DISCOVERY,
      () => ({ status: 200, headers: cached, body: { issuer: url, jwks_uri: 'https://old/' } }),
      'its jwks_uri is https://old/',
    ],
    [
      'public keys',
      'none yet',
      JWKS,
      () => envelope(503, { error: 'unavailable' }),
      'nothing is published yet',
    ],
    [
      'public keys',
      'an empty set',
      JWKS,
      () => ({ status: 200, headers: cached, body: { keys: [] } }),
      'is no set of public',
    ],
    [
      'public keys',
      'a private member',
      JWKS,
      () => ({ status: 200, headers: cached, body: { keys: [{ ...key, d: 'private' }] } }),
      'is no set of public RS256 keys',
    ],
    [
      'public keys',
      'no caching',
      JWKS,
      () => ({ status: 200, headers: { 'cache-control': 'no-store' }, body: {} }),
      "Cache-Control 'no-store'",
    ],
    [
      'protected routes',
      'no authorizer',
      '/member/me',
      () => envelope(200, { data: {} }),
      '/member/me without a token answers 200 ok',
    ],
    [
      'protected routes',
      'an authorizer that breaks',
      '/member/me with a token',
      () => envelope(500, { error: 'internal' }),
      'with a token that is none answers 500 internal',
    ],
  ])('%s: see %s', async (name, _what, path, answer, words) => {
    answers[path] = answer();

    expect(await problems()).toEqual({ [name]: expect.stringContaining(words) });
  });

  it.each<[string, StandIn]>([
    ['a web page', { status: 200, body: '<html>' }],
    ['another JSON', { status: 200, body: { ok: true } }],
    [
      'an envelope whose code is not the status',
      { status: 502, body: { code: 200, msg: 'ok', request_id: '1' } },
    ],
    ['a redirect', { status: 302, headers: { location: 'https://elsewhere/' }, body: '' }],
  ])('say that %s is not this service, and check no further', async (_what, health) => {
    answers[HEALTH] = health;

    const { status, stdout } = await runCommand('doctor', ['--url', url]);

    expect(status).toBe(1);
    expect(stdout).toMatch(
      /^problem {2}reachable: .* which is no response of this service: look at what the domain points to\n\nSomething is wrong\.\n$/,
    );
  });
});

describe('npm run doctor', () => {
  it('says of a WeChat that accepts anything what that means, and which user it leaves behind', async () => {
    answers['/member/login'] = envelope(200, { data: { user_id: 'u-1' } });

    const { status, stdout } = await runCommand('doctor', ['--url', url]);

    expect(status).toBe(1);
    expect(stdout).toMatch(
      /^problem {2}WeChat: a code that WeChat never gave out logs in, so anybody can log in as anybody: .* erase --user-id u-1 /m,
    );
  });

  it('says when nothing listens', async () => {
    const { status, stdout } = await spawnCommand('doctor', ['--url', 'http://127.0.0.1:2']);

    expect(status).toBe(1);
    expect(stdout).toContain('problem  reachable: nothing listens at 127.0.0.1:2');
  });

  it.each([
    [[]],
    [['--url', 'login.example.com']],
    [['--url', 'login.example.com', '--stage', 'prod']],
    [['--stage', 'prod', '--log', 'file']],
    [['--nonsense']],
  ])('explains itself when called as %j', async (args) => {
    const { status, stderr } = await runCommand('doctor', args);

    expect(status).toBe(2);
    expect(stderr).toContain('Usage: npm run doctor');
  });
});
