/** `npm run bench`: measures logins, bundles and tokens in one run, or the parts that are named; JSON on request. */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { synthesize } from 'local-aws';
import { defineCommand, print, runIfMain } from '../bin/command/command.ts';
import {
  type LocalService,
  type LocalServiceOptions,
  loginApp,
  startLocalService,
} from '../local/service.ts';
import { measureAuthorizer } from './authorizer.ts';
import { measureFirstRequests } from './bundles/first-request.ts';
import { measureMemory } from './bundles/memory.ts';
import { type Cost, profileFunctions, toCostTable } from './bundles/profile.ts';
import { measureSmallCpus } from './bundles/small-cpu.ts';
import { measureStartUp } from './bundles/start-up.ts';
import { measureGateway } from './gateway.ts';
import type { Measurement } from './measurement.ts';
import { measurePeak } from './peak.ts';
import { toTable } from './report.ts';
import { measureTokens } from './tokens.ts';
import { measureUsersTables } from './users-table.ts';

const USAGE = `Usage: npm run bench [-- [PART ...] [--json FILE] [--beside DIRECTORY]]
PART is one of gateway, start, first, profile, tokens, authorizer, cpu, peak, users, memory; default: all.
cpu and memory need Linux and root, for control groups; users and memory take many minutes.
DIRECTORY is a checkout of another commit, with its packages installed, whose bundles start beside ours.`;

const concurrencies = [1, 8];

async function withService<T>(
  measure: (service: LocalService) => Promise<T>,
  options: LocalServiceOptions = {},
): Promise<T> {
  const service = await startLocalService({ port: 0, ...options });
  try {
    return await measure(service);
  } finally {
    await service.close();
  }
}

const measureService = (wechatDelayMs: number): Promise<readonly Measurement[]> =>
  withService(
    ({ url, simulatorUrl = '' }) =>
      measureGateway(
        { url, simulatorUrl, wechatDelayMs },
        { concurrencies, slices: 5, requestsPerSlice: 20 },
      ),
    // As in the cloud, where every request at once has its own copy of the function.
    { wechatDelayMs, maxEnvironments: Math.max(...concurrencies) },
  );

const measurePeakAt = (wechatDelayMs: number): Promise<readonly Measurement[]> =>
  withService((service) => measurePeak(service, { wechatDelayMs, environments: 8, logins: 200 }), {
    wechatDelayMs,
    maxEnvironments: 8,
  });

async function measureBundles(beside: string | undefined): Promise<readonly Measurement[]> {
  const assembly = await synthesize(loginApp);
  const other = beside === undefined ? undefined : await synthesize(beside);
  try {
    return await measureStartUp(assembly.directory, { starts: 15, beside: other?.directory });
  } finally {
    await assembly.remove();
    await other?.remove();
  }
}

type Part = (beside: string | undefined) => Promise<readonly Measurement[]>;

const parts: Readonly<Record<string, readonly Part[]>> = {
  gateway: [() => measureService(0), () => measureService(50)],
  start: [measureBundles],
  first: [
    () => withService((service) => measureFirstRequests(service, { distancesMs: [5, 20, 60], starts: 8 })),
  ],
  profile: [],
  tokens: [() => measureTokens({ warmUp: 200, measured: 1000 })],
  authorizer: [() => measureAuthorizer({ warmUp: 200, measured: 1000 })],
  cpu: [
    () =>
      withService((service) =>
        measureSmallCpus(service, { memoriesMb: [1769, 1024, 512, 256], requests: 30, wechatMs: 200 }),
      ),
  ],
  peak: [50, 500, 3000].map((wechatDelayMs) => () => measurePeakAt(wechatDelayMs)),
  users: [() => measureUsersTables([1_000, 1_000_000], { warmUp: 100, measured: 1000 })],
  memory: [() => withService((service) => measureMemory(service, { logins: 100_000, memoryMb: 256 }))],
};

export const run = defineCommand({
  usage: USAGE,
  options: { json: { type: 'string' }, beside: { type: 'string' } },
  allowPositionals: true,
  body: async ({ values: { json, beside }, positionals }, { stdout }) => {
    const cores = availableParallelism();
    print(
      stdout,
      `Node.js ${process.versions.node}, ${cores} cores. Compare rows of one run, not runs: the first row of
each block is its floor. Gateway, WeChat simulator and load run on this machine too, the first two in one
process: throughput is a lower bound, and at several at once the cores are the limit.\n`,
    );
    const measurements: Measurement[] = [];
    let costs: readonly Cost[] = [];
    for (const [name, measures] of Object.entries(parts)) {
      if (positionals.length > 0 && !positionals.includes(name)) continue;
      for (const measure of measures) {
        const part = await measure(beside);
        print(stdout, `${toTable(part)}\n`);
        measurements.push(...part);
      }
      if (name !== 'profile') continue;
      costs = await withService((service) => profileFunctions(service, { starts: 5, warmRequests: 200 }));
      print(stdout, `${toCostTable(costs)}\n`);
    }
    if (json !== undefined) {
      const report = { node: process.versions.node, cores, measurements, costs };
      writeFileSync(json, `${JSON.stringify(report, undefined, 2)}\n`);
    }
    return 0;
  },
});

await runIfMain(import.meta, run);
