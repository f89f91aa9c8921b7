import { setTimeout } from 'node:timers/promises';
import { DeleteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalService } from '../../../local/service.ts';
import { startSharedStack } from '../../fixtures/local-service.ts';
import { type Finished, runCommand } from '../../fixtures/operator-command.ts';
import { localIdentity } from '../../fixtures/users-table.ts';

let service: LocalService;
let secrets: SecretsManagerClient;
let keyRingArn: string;
const logs: string[] = [];

beforeAll(async () => {
  service = await startSharedStack({ onLog: (_, line) => logs.push(line) });
  secrets = new SecretsManagerClient({ ...localIdentity, endpoint: service.secretsManagerEndpoint });
  keyRingArn = String(service.resolver.names('KeyRingSecret73EFAB8B').ref);
});

afterAll(async () => {
  secrets.destroy();
  await service.close();
});

/** Only ends what hangs: running functions follow a rotation within half a minute. */
const PATIENCE_MS = 250_000;

const kidOf = (token: string): string => decodeProtectedHeader(token).kid ?? '';

async function publishedKeys(): Promise<Record<string, string>[]> {
  const response = await fetch(`${service.url}/.well-known/jwks.json`);
  expect(response.status).toBe(200);
  return ((await response.json()) as { keys: Record<string, string>[] }).keys;
}

const publishedKids = async () => (await publishedKeys()).map(({ kid }) => kid ?? '');

async function logIn(name: string): Promise<string> {
  const response = await fetch(`${service.url}/member/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code: `demo-${name}` }),
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { data: { token: string } }).data.token;
}

/** The status of a protected route: 401 where the authorizer refuses the token. */
async function whoami(token: string): Promise<number> {
  const response = await fetch(`${service.url}/whoami`, { headers: { authorization: `Bearer ${token}` } });
  await response.arrayBuffer();
  return response.status;
}

/** What a verifier says that has only just read the published set. */
async function freshDecision(token: string): Promise<string> {
  const keys = createRemoteJWKSet(new URL(`${service.url}/.well-known/jwks.json`));
  return jwtVerify(token, keys, { issuer: service.url, audience: 'wechat-login' }).then(
    () => 'accepted',
    (error: { code: string }) => error.code,
  );
}

/** Lets `next` have been public for a day, which no test can wait for. */
async function letADayPass(): Promise<void> {
  const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId: keyRingArn }));
  const ring = JSON.parse(SecretString) as { next: { published_at: number } };
  ring.next.published_at -= 86_400;
  await secrets.send(new PutSecretValueCommand({ SecretId: keyRingArn, SecretString: JSON.stringify(ring) }));
}

/** `npm run rotate-keys` */
async function rotateKeys(...drop: string[]): Promise<Finished> {
  const named = ['--key-ring', keyRingArn, '--issuer', service.url];
  return runCommand('rotate-keys', [...named, ...drop.map((kid) => `--drop=${kid}`)], {
    aws: {
      AWS_ACCESS_KEY_ID: 'operator',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_SECRETS_MANAGER: service.secretsManagerEndpoint,
    },
  });
}

/** Logins and verifications all the time, some five a second; what it saw, by token. */
function startLoad() {
  const tokens: string[] = [];
  const statuses: { readonly kid: string; readonly status: number }[] = [];
  const sets: Record<string, string>[][] = [];
  let running = true;
  const loop = async (work: (round: number) => Promise<void>): Promise<void> => {
    for (let round = 0; running; round++) {
      await work(round);
      await setTimeout(1_000);
    }
  };
  const done = Promise.all([
    ...['a', 'b'].map((worker) =>
      loop(async (round) => {
        tokens.push(await logIn(`${worker}${round % 20}`));
      }),
    ),
    ...[0, 1].map((worker) =>
      loop(async (round) => {
        const token = tokens[(round * 7 + worker) % tokens.length];
        if (token !== undefined) statuses.push({ kid: kidOf(token), status: await whoami(token) });
      }),
    ),
    loop(async () => {
      sets.push(await publishedKeys());
    }),
  ]);
  done.catch(() => {});
  return {
    tokens,
    statuses,
    sets,
    stop: async () => {
      running = false;
      await done;
    },
  };
}

describe('keys that rotate under load', () => {
  it('refuse not one valid token, through three rotations and an emergency, which ends exactly one key', async () => {
    const load = startLoad();
    await expect.poll(() => load.statuses.length, { timeout: PATIENCE_MS }).toBeGreaterThan(5);
    const [first = ''] = await publishedKids();

    for (let rotation = 0; rotation < 3; rotation++) {
      const [, next] = await publishedKids();
      await letADayPass();
      const { stdout: said } = await rotateKeys();
      expect(said).toContain(`Signing from now on: ${next}`);
    }
    expect(await publishedKids()).toHaveLength(5);
    const [condemned = '', successor = ''] = await publishedKids();
    await expect.poll(() => kidOf(load.tokens.at(-1) ?? ''), { timeout: PATIENCE_MS }).toBe(condemned);
    const veteran = load.tokens.find((token) => kidOf(token) === first) ?? '';
    const doomed = load.tokens.findLast((token) => kidOf(token) === condemned) ?? '';
    expect(await Promise.all([freshDecision(veteran), freshDecision(doomed)])).toEqual([
      'accepted',
      'accepted',
    ]);
    expect(load.statuses.filter(({ status }) => status !== 200)).toEqual([]);

    const { stdout: said } = await rotateKeys(condemned);

    expect(said).toContain(`Signing from now on: ${successor}`);
    expect(await publishedKids()).not.toContain(condemned);
    expect(await freshDecision(doomed)).toBe('ERR_JWKS_NO_MATCHING_KEY');
    expect(await freshDecision(veteran)).toBe('accepted');
    await expect.poll(() => whoami(doomed), { timeout: PATIENCE_MS }).toBe(401);
    await expect.poll(() => kidOf(load.tokens.at(-1) ?? ''), { timeout: PATIENCE_MS }).toBe(successor);
    await expect.poll(() => load.statuses.length, { timeout: PATIENCE_MS }).toBeGreaterThan(60);
    await load.stop();

    const newest = load.tokens.findLast((token) => kidOf(token) === successor) ?? '';
    expect(await whoami(newest)).toBe(200);
    expect(load.statuses.filter(({ kid, status }) => status !== 200 && kid !== condemned)).toEqual([]);
    for (const set of load.sets) {
      expect(set.length).toBeLessThanOrEqual(10);
      for (const key of set) expect(Object.keys(key)).toEqual(['kid', 'alg', 'use', 'kty', 'n', 'e']);
    }
  });

  it('are all replaced at once when an operator says so', async () => {
    const before = await publishedKids();

    const { stdout: said } = await rotateKeys('all');

    const after = await publishedKids();
    expect(said).toContain(`Published now: ${after.join(', ')}`);
    expect(after).toHaveLength(2);
    expect(after.filter((kid) => before.includes(kid))).toEqual([]);
  });

  it('are not touched by a command that makes no sense', async () => {
    const before = await publishedKids();

    const { status, stderr } = await rotateKeys('not-a-key-id');

    expect(status).toBe(2);
    expect(stderr).toContain('--drop must be all, or a key id');

    expect(await publishedKids()).toEqual(before);
  });

  it('stay as they are when the key to drop is not among them, which the command says', async () => {
    const before = await publishedKids();
    const gone = '-'.padEnd(43, 'x');

    const { stdout: said } = await rotateKeys(gone);

    expect(said).toContain(`Not published, or not any more: ${gone}`);
    expect(said).toContain(`Still signing: ${before[0]}`);
    expect(await publishedKids()).toEqual(before);
  });

  it('leave no private member in any log', () => {
    expect(logs.length).toBeGreaterThan(0);
    for (const line of logs) expect(line).not.toMatch(/"d":|private_jwk|eyJ[\w-]+\.eyJ/);
  });

  it('are unavailable, in the envelope and not for any cache, while nothing is published', async () => {
    const dynamodb = new DynamoDBClient({ ...localIdentity, endpoint: service.dynamodbEndpoint });
    const TableName = String(service.resolver.names('UsersTable6D91A5EE').ref);
    await dynamodb.send(new DeleteItemCommand({ TableName, Key: { pk: { S: 'jwks' } } }));
    dynamodb.destroy();

    const response = await fetch(`${service.url}/.well-known/jwks.json`);

    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({
      code: 503,
      msg: '服务暂不可用，请稍后再试 / The service is unavailable; try again later',
      error: 'unavailable',
      request_id: response.headers.get('x-amzn-requestid'),
    });
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('retry-after')).toBe('5');
  });
});
