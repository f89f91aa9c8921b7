/** `docs/cost.md` computes what a login costs from what one writes, reads and logs: here a real one is counted. */
import fs, { readFileSync } from 'node:fs';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { createDecide } from '../../../functions/authorizer/decide.ts';
import { createAuthorizer } from '../../../functions/authorizer/handler.ts';
import { createHttpHandler } from '../../../functions/http/handler.ts';
import { createLogIn } from '../../../functions/login/log-in.ts';
import { measureLogins } from '../../../functions/login/login-metrics.ts';
import { createLoginRoute } from '../../../functions/login/login-route.ts';
import { createSpentCodes } from '../../../functions/login/spent-codes.ts';
import { log } from '../../../functions/telemetry/logger.ts';
import { createMetrics } from '../../../functions/telemetry/metrics.ts';
import { createRevocations } from '../../../functions/tokens/revocations.ts';
import { createUsers } from '../../../functions/users/find-or-create.ts';
import { startUsersTable, type UsersTable } from '../../fixtures/users-table.ts';

const page = readFileSync(new URL('../../../docs/cost.md', import.meta.url), 'utf8');

/** A number that the page says. */
function documented(pattern: RegExp): number {
  const number = Number(pattern.exec(page)?.[1]);
  if (Number.isNaN(number)) throw new Error(`docs/cost.md does not say ${pattern}`);
  return number;
}

const appid = 'wx0123456789abcdef';
const openid = 'oLnGf5Tf0l2nLJ3f9vK3Y8mZ1QwE';
const MONTH = 30 * 24 * 3600 * 1000;

let table: UsersTable;
beforeAll(async () => {
  table = await startUsersTable();
});
afterAll(() => table.stop());

let bytes: number;
let units: { readonly command: string; readonly units: number }[];
let time = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
beforeEach(() => {
  vi.stubEnv('POWERTOOLS_SERVICE_NAME', 'wechat-login-staging');
  vi.stubEnv('_X_AMZN_TRACE_ID', 'Root=1-67891233-abcdef012345678912345678;Sampled=0');
  bytes = 0;
  units = [];
  vi.spyOn(fs, 'writeSync').mockImplementation((_, chunk) => {
    bytes += Buffer.byteLength(String(chunk));
    return chunk.length;
  });
  return () => vi.restoreAllMocks();
});

/** A client whose requests say what they took. */
function countingClient() {
  const { client } = table.connect(async ({ command, input }, proceed) => {
    Object.assign(input as object, { ReturnConsumedCapacity: 'TOTAL' });
    const { output } = (await proceed()) as { output: { ConsumedCapacity?: object } };
    for (const { CapacityUnits = 0 } of [output.ConsumedCapacity ?? []].flat() as {
      CapacityUnits?: number;
    }[])
      units.push({ command, units: CapacityUnits });
    return { output };
  });
  return client;
}

let codes = 0;
/** Logs in through the whole function, WeChat and the signature apart. */
async function logIn(profile: object = {}): Promise<void> {
  const store = { client: countingClient(), tableName: table.tableName, now: () => time };
  const metrics = createMetrics(log);
  const route = createLoginRoute({
    logIn: createLogIn({
      wechat: { code2Session: async () => ({ openid, host: 'api.weixin.qq.com' }) },
      appSecrets: { secretFor: async () => 'secret', renewedSecretFor: async () => 'secret' },
      users: createUsers(store),
      spentCodes: createSpentCodes({ ...store, windowSeconds: 60 }),
      revocations: createRevocations(store),
      tokens: {
        prepare() {},
        mint: async () => ({ token: 't', jti: 'j', expiresIn: 1, expiresAt: 1, keyAgeSeconds: 2_000_000 }),
      },
      now: () => time,
    }),
    appids: [appid],
    observe: measureLogins(metrics),
  });
  codes += 1;
  const response = await createHttpHandler(
    { 'POST /member/login': route },
    log,
    metrics,
  )({
    httpMethod: 'POST',
    resource: '/member/login',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code: `0a3Xk0000${codes}`.padEnd(32, 'x'), ...profile }),
    requestContext: { requestId: '3f0d2f0e-52d5-4c40-a6f4-0c3c0d0e2a11' },
  } as unknown as APIGatewayProxyEvent);
  expect(response.statusCode).toBe(200);
}

const took = (kind: RegExp): number =>
  units.filter(({ command }) => kind.test(command)).reduce((sum, each) => sum + each.units, 0);
const written = (): number => took(/Put|Update|Delete|TransactWrite/);
const read = (): number => took(/Get|Query/);

it('a new user takes the write units that the page on cost says', async () => {
  await logIn({ nickname: '小明', avatar: 'https://a.example/1.png', sex: 1 });

  expect(written()).toBe(documented(/A new user\* costs (\d+) write units/));
});

it('a returning user takes the units and the bytes of log that the page says', async () => {
  await logIn();

  expect([written(), read()]).toEqual([
    documented(/spent code (\d)/),
    documented(/DynamoDB, reads \| 1 M × (0\.5)/),
  ]);
  expect(bytes / 1000).toBeLessThanOrEqual(documented(/our line (\d\.\d+) KB/));
  expect(bytes).toBeGreaterThan(500);
});

it('a user who comes back after a month takes the units more that the page says', async () => {
  time += 2 * MONTH;

  await logIn();

  expect(written()).toBe(documented(/spent code (\d)/) + documented(/`last_login_at` (\d) \(/));
});

it('a decision for another team takes the units and the bytes of log that the page says', async () => {
  const [user] = (await table.items()).filter((item) => item.openid !== undefined);
  const userId = String(user?.pk);
  units = [];
  const token = {
    userId,
    appid,
    jti: '5d0d2f0e-52d5-4c40-a6f4-0c3c0d0e2a11',
    sid: '6d0d2f0e-52d5-4c40-a6f4-0c3c0d0e2a11',
    authTime: 1,
    issuedAt: 1,
    expiresAt: 2,
  };
  const authorize = createAuthorizer({
    decide: createDecide({
      verifier: { verify: async () => token },
      revocations: createRevocations({
        client: countingClient(),
        tableName: table.tableName,
        now: () => time,
      }),
    }),
    log,
    metrics: createMetrics(log),
    httpResponse: 'simple',
    cacheTtlSeconds: 0,
    now: () => time,
  });

  await authorize({
    type: 'REQUEST',
    httpMethod: 'GET',
    methodArn: 'arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/v1/GET/orders',
    headers: { Authorization: 'Bearer t' },
    multiValueHeaders: { Authorization: ['Bearer t'] },
    requestContext: { requestId: '3f0d2f0e-52d5-4c40-a6f4-0c3c0d0e2a11' },
  });

  expect([written(), read()]).toEqual([0, documented(/DynamoDB, reads \| 1 M × (2) \|/)]);
  expect(bytes / 1000).toBeLessThanOrEqual(documented(/authorizer's line (\d\.\d+) KB/));
  expect(bytes).toBeGreaterThan(300);
});
