/** `npm run bench`: measures logins, bundles and tokens in one run; `-- --json FILE` writes the same as JSON. */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { synthesize } from 'local-aws';
import { defineCommand, print, runIfMain } from '../bin/command/command.ts';
import { loginApp, startLocalService } from '../local/service.ts';
import { measureAuthorizer } from './authorizer.ts';
import { measureGateway } from './gateway.ts';
import type { Measurement } from './measurement.ts';
import { toTable } from './report.ts';
import { measureStartUp } from './start-up.ts';
import { measureTokens } from './tokens.ts';

const USAGE = 'Usage: npm run bench [-- --json FILE]';

const concurrencies = [1, 8];

async function measureService(wechatDelayMs: number): Promise<readonly Measurement[]> {
  const service = await startLocalService({
    port: 0,
    wechatDelayMs,
    // As in the cloud, where every request at once has its own copy of the function.
    maxEnvironments: Math.max(...concurrencies),
  });
  try {
    const { url, simulatorUrl = '' } = service;
    const target = { url, simulatorUrl, wechatDelayMs };
    return await measureGateway(target, { concurrencies, slices: 5, requestsPerSlice: 20 });
  } finally {
    await service.close();
  }
}

async function measureBundles(): Promise<readonly Measurement[]> {
  const assembly = await synthesize(loginApp);
  try {
    return await measureStartUp(assembly.directory, { starts: 9 });
  } finally {
    await assembly.remove();
  }
}

const parts: readonly (() => Promise<readonly Measurement[]>)[] = [
  () => measureService(0),
  () => measureService(50),
  measureBundles,
  () => measureTokens({ warmUp: 200, measured: 1000 }),
  () => measureAuthorizer({ warmUp: 200, measured: 1000 }),
];

export const run = defineCommand({
  usage: USAGE,
  options: { json: { type: 'string' } },
  body: async ({ values: { json } }, { stdout }) => {
    const cores = availableParallelism();
    print(
      stdout,
      `Node.js ${process.versions.node}, ${cores} cores. Compare rows of one run, not runs: the first row of
each block is its floor. Gateway, WeChat simulator and load run on this machine too, the first two in one
process: throughput is a lower bound, and at several at once the cores are the limit.\n`,
    );
    const measurements: Measurement[] = [];
    for (const measure of parts) {
      const part = await measure();
      print(stdout, `${toTable(part)}\n`);
      measurements.push(...part);
    }
    if (json !== undefined) {
      const report = { node: process.versions.node, cores, measurements };
      writeFileSync(json, `${JSON.stringify(report, undefined, 2)}\n`);
    }
    return 0;
  },
});

await runIfMain(import.meta, run);
