/**
 * Measures warm requests with the share of a CPU that Lambda gives a memory size, and what a million of them cost: what
 * the default memory sizes stand on.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { LocalService } from '../../local/service.ts';
import { compare, type Measurement } from '../measurement.ts';
import { withControlGroup } from './control-group.ts';
import { readDistantFunctions } from './functions.ts';
import { createRequests } from './requests.ts';

/** How much is measured. */
export interface SmallCpuCounts {
  readonly memoriesMb: readonly number[];
  /** Of each function with each memory; one process each. */
  readonly requests: number;
  /** How far WeChat is away, milliseconds; DynamoDB and Secrets Manager are 5. */
  readonly wechatMs: number;
}

/** With so much memory a function has one whole CPU. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const MB_OF_ONE_CPU = 1_769;
/** USD for a GB-second on arm64, and for an invocation: docs/cost.md. */
const GB_SECOND = 0.0000133334;
const INVOCATION = 0.0000002;
/** Microseconds after which a process that used up its share goes on. */
const PERIOD_US = 20_000;

/** INIT has a full CPU; requests have their share. The first two are left out: they are the bench of first requests. */
const program = `
const { handler } = await import('./index.mjs');
const { writeFileSync, readFileSync } = await import('node:fs');
const events = JSON.parse(readFileSync(process.env.EVENTS, 'utf8'));
writeFileSync(process.env.GROUP, String(process.pid));
const durations = [];
for (const event of events) {
  const startedAt = performance.now();
  const response = await handler(event);
  durations.push(performance.now() - startedAt);
  if ((response.statusCode ?? 200) !== 200) throw new Error(JSON.stringify(response));
}
console.log(JSON.stringify({ durations: durations.slice(2), rssMb: process.memoryUsage.rss() / 1e6 }));
process.exit();
`;

/** Measures; the floor of each part is a whole CPU. */
export async function measureSmallCpus(
  service: LocalService,
  { memoriesMb, requests, wechatMs }: SmallCpuCounts,
): Promise<readonly Measurement[]> {
  const { functionOf, close } = await readDistantFunctions(service, { awsMs: 5, wechatMs });
  try {
    const measured = [];
    for (const { row, idPrefix, events } of await createRequests(service)) {
      const found = functionOf(idPrefix);
      const series = [];
      for (const memoryMb of memoriesMb) {
        const { durations, rssMb } = await runWith(memoryMb, found, await events(requests + 2));
        const seconds = durations.reduce((sum, ms) => sum + ms, 0) / durations.length / 1000;
        const usd = 1_000_000 * (seconds * (memoryMb / 1024) * GB_SECOND + INVOCATION);
        const name = `${memoryMb} MB, ${rssMb.toFixed(0)} used, ${usd.toFixed(2)} USD a million`;
        series.push({ row: name, durations });
      }
      measured.push(...compare(`${row}, WeChat ${wechatMs} ms away, by memory`, series));
    }
    return measured;
  } finally {
    close();
  }
}

async function runWith(
  memoryMb: number,
  found: { readonly directory: string; readonly environment: Readonly<Record<string, string>> },
  events: readonly object[],
): Promise<{ readonly durations: readonly number[]; readonly rssMb: number }> {
  const file = path.join(found.directory, `events-${process.pid}.json`);
  writeFileSync(file, JSON.stringify(events));
  const quota = Math.round((PERIOD_US * Math.min(memoryMb, MB_OF_ONE_CPU)) / MB_OF_ONE_CPU);
  const settings = { 'cpu.cfs_period_us': PERIOD_US, 'cpu.cfs_quota_us': quota };
  return withControlGroup(settings, async (group) => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      cwd: found.directory,
      env: { ...found.environment, EVENTS: file, GROUP: group },
    });
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}');
  });
}
