/** Runs the measurements with tiny counts: what they say about speed is for people, that they say it is checked here. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { measureAuthorizer } from '../../../bench/authorizer.ts';
import { measureFirstRequests } from '../../../bench/bundles/first-request.ts';
import { measureMemory } from '../../../bench/bundles/memory.ts';
import { profileFunctions, toCostTable } from '../../../bench/bundles/profile.ts';
import { measureSmallCpus } from '../../../bench/bundles/small-cpu.ts';
import { measureGateway } from '../../../bench/gateway.ts';
import { compare, type Measurement } from '../../../bench/measurement.ts';
import { measurePeak } from '../../../bench/peak.ts';
import { toTable } from '../../../bench/report.ts';
import { measureTokens } from '../../../bench/tokens.ts';
import { measureUsersTables } from '../../../bench/users-table.ts';
import type { LocalService } from '../../../local/service.ts';
import { startSharedStack } from '../../fixtures/local-service.ts';

const rounds = { warmUp: 1, measured: 3 };

/** One for all measurements, which start functions of their own where they measure those. */
let service: LocalService;
beforeAll(async () => {
  service = await startSharedStack({ wechatDelayMs: 1, maxEnvironments: 2 });
});
afterAll(() => service.close());

const target = () => ({ url: service.url, simulatorUrl: service.simulatorUrl ?? '', wechatDelayMs: 1 });

interface Case {
  readonly what: string;
  readonly measure: () => Promise<readonly Measurement[]>;
  readonly rows: readonly string[];
}

/** Where processes can be given less than the machine has. */
const inControlGroups: readonly Case[] = [
  {
    what: 'small CPUs',
    measure: () => measureSmallCpus(service, { memoriesMb: [1769], requests: 2, wechatMs: 1 }),
    rows: ['POST /member/login', 'the authorizer', 'GET /member/me'].map((request) =>
      expect.stringMatching(
        `^${request}, WeChat 1 ms away, by memory: 1769 MB, \\d+ used, \\d+\\.\\d\\d USD a million$`,
      ),
    ),
  },
  {
    what: 'memory',
    measure: () => measureMemory(service, { logins: 10, memoryMb: 512 }),
    rows: ['memory of an environment of 512 MB, MB', 'its heap after a collection, MB'].flatMap((part) =>
      Array.from({ length: 10 }, (_, at) => `${part}: after ${at + 1} logins`),
    ),
  },
];

const cases: readonly Case[] = [
  {
    what: 'the gateway',
    measure: () => measureGateway(target(), { concurrencies: [1, 2], slices: 1, requestsPerSlice: 2 }),
    rows: [1, 2].flatMap((concurrency) =>
      [
        'GET /health',
        'GET /member/me',
        'POST /member/login, returning user',
        'POST /member/login, new user',
      ].map((row) => `gateway, WeChat 1 ms, ${concurrency} at once: ${row}`),
    ),
  },
  {
    what: 'signing and verifying',
    measure: () => measureTokens(rounds),
    rows: [
      'sign a token: node:crypto sign',
      'sign a token: jose SignJWT',
      'sign a token: our minter',
      'verify a token: node:crypto verify',
      'verify a token: jose jwtVerify',
      'verify a token: our verifier',
    ],
  },
  {
    what: 'the authorizer',
    measure: () => measureAuthorizer(rounds),
    rows: [
      'decide about a request: jose jwtVerify',
      'decide about a request: our verifier',
      'decide about a request: authorizer without revocation',
      'decide about a request: authorizer with revocation',
    ],
  },
  {
    what: 'first requests',
    measure: () => measureFirstRequests(service, { distancesMs: [1], starts: 1 }),
    rows: ['POST /member/login', 'the authorizer', 'GET /member/me'].flatMap((request) =>
      ['a warm one', 'the first after INIT'].map((row) => `${request}, all services 1 ms away: ${row}`),
    ),
  },
  {
    what: 'a peak',
    measure: () => measurePeak(service, { wechatDelayMs: 1, environments: 2, logins: 4 }),
    rows: ['one after another', 'bursts of 1', '4 at once'].map(
      (row) => `a peak: 2 environments, WeChat 1 ms: ${row}, 0 failed`,
    ),
  },
  {
    what: 'tables of users',
    measure: () => measureUsersTables([10, 30], rounds),
    rows: ['a returning user', 'a new user'].flatMap((who) =>
      [10, 30].map((users) => `the users table: ${who}: ${users} users`),
    ),
  },
  ...(existsSync('/sys/fs/cgroup/cpu/cgroup.procs') && process.getuid?.() === 0 ? inControlGroups : []),
];

it.each(cases)('measures $what, row by row', async ({ measure, rows }) => {
  const measurements = await measure();

  expect(measurements.map(({ part, row }) => `${part}: ${row}`)).toEqual(rows);
  for (const { samples, p50, p95, p99, timesFloor, perSecond = 1, sizeKb = 1 } of measurements) {
    for (const number of [samples, p50, p95, p99, timesFloor, perSecond, sizeKb])
      expect(number).toBeGreaterThan(0);
    expect(p50 <= p95 && p95 <= p99).toBe(true);
  }
  const table = toTable(measurements);
  for (const { row } of measurements) expect(table).toContain(row);
});

it('says where the time goes, of a start and of warm requests: phases, packages, modules of Node.js', async () => {
  const costs = await profileFunctions(service, { starts: 1, warmRequests: 5 });

  const rowsOf = (part: string, by: string) =>
    costs.filter((cost) => cost.part === part && cost.by === by).map(({ row }) => row);
  expect(rowsOf('start of login', 'phase').toSorted()).toEqual([
    'Node.js before our first line',
    'clients are made',
    'first calls, with what Node.js does for them',
    'modules are evaluated',
  ]);
  // Others are so short that no sample may fall into them.
  const long = ({ part, row, ms }: (typeof costs)[number]) =>
    part === 'start of login' && row.startsWith('first calls') && ms > 0;
  expect(costs.some(long)).toBe(true);
  expect(rowsOf('start of login', 'package')).toEqual(expect.arrayContaining(['@smithy/core', 'undici']));
  // Which modules of Node.js, and which packages so few requests are seen in, is chance.
  expect(rowsOf('start of login', 'node')).toContainEqual(expect.stringMatching(/^node:/));
  expect(rowsOf('the authorizer, warm', 'package')).not.toEqual([]);
  for (const { row } of costs) expect(toCostTable(costs)).toContain(row);
});

it('takes percentiles by rank, and compares medians to the first row', () => {
  const oneToHundred = Array.from({ length: 100 }, (_, at) => 100 - at);

  const [floor, other] = compare('part', [
    { row: 'floor', durations: [25, 20, 30] },
    { row: 'other', durations: oneToHundred, elapsedMs: 2_000, sizeKb: 7 },
  ]);

  expect(floor).toMatchObject({ p50: 25, p95: 30, aboveFloor: 0, timesFloor: 1 });
  expect(other).toEqual({
    part: 'part',
    row: 'other',
    samples: 100,
    least: 1,
    p50: 50,
    p95: 95,
    p99: 99,
    perSecond: 50,
    sizeKb: 7,
    aboveFloor: 25,
    timesFloor: 2,
    leastTimesFloor: 0.05,
  });
});

it('measures no refusal: a request that fails ends the measurement', async () => {
  const measuring = measureGateway(
    { ...target(), url: `${service.url}/nowhere` },
    { concurrencies: [1], slices: 1, requestsPerSlice: 1 },
  );

  await expect(measuring).rejects.toThrow('The first login answered');
});
