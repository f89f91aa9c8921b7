/** Measures the first request after INIT beside warm ones, with services that are some milliseconds away. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { LocalService } from '../../local/service.ts';
import { compare, type Measurement } from '../measurement.ts';
import { readDistantFunctions } from './functions.ts';
import { createRequests } from './requests.ts';

/** How much is measured. */
export interface FirstRequestCounts {
  /** How far DynamoDB, Secrets Manager and WeChat are away, milliseconds; each is a part of the report. */
  readonly distancesMs: readonly number[];
  /** Processes of each function; each has one first request. */
  readonly starts: number;
}

/** Warm requests of each process, after two that are not counted: the second is not warm yet. */
const WARM = 8;

const program = `
const { handler } = await import('./index.mjs');
const durations = [];
for (const event of JSON.parse(process.env.EVENTS)) {
  const startedAt = performance.now();
  const response = await handler(event);
  durations.push(performance.now() - startedAt);
  if ((response.statusCode ?? 200) !== 200) throw new Error(JSON.stringify(response));
}
console.log(JSON.stringify(durations));
process.exit();
`;

/** Measures; the floor of each part is the same function's warm request. */
export async function measureFirstRequests(
  service: LocalService,
  { distancesMs, starts }: FirstRequestCounts,
): Promise<readonly Measurement[]> {
  const measurements: Measurement[] = [];
  for (const distanceMs of distancesMs) measurements.push(...(await measureAt(service, distanceMs, starts)));
  return measurements;
}

async function measureAt(
  service: LocalService,
  distanceMs: number,
  starts: number,
): Promise<readonly Measurement[]> {
  const { functionOf, close } = await readDistantFunctions(service, {
    awsMs: distanceMs,
    wechatMs: distanceMs,
  });
  try {
    const measured = [];
    for (const { row, idPrefix, events } of await createRequests(service)) {
      const found = functionOf(idPrefix);
      const warm: number[] = [];
      const first: number[] = [];
      for (let start = 0; start < starts; start++) {
        const { stdout } = await promisify(execFile)(
          process.execPath,
          ['--input-type=module', '-e', program],
          {
            cwd: found.directory,
            env: { ...found.environment, EVENTS: JSON.stringify(await events(WARM + 3)) },
          },
        );
        const durations = JSON.parse(stdout.trim().split('\n').at(-1) ?? '[]') as number[];
        first.push(...durations.slice(0, 1));
        warm.push(...durations.slice(3));
      }
      measured.push(
        ...compare(`${row}, all services ${distanceMs} ms away`, [
          { row: 'a warm one', durations: warm },
          { row: 'the first after INIT', durations: first },
        ]),
      );
    }
    return measured;
  } finally {
    close();
  }
}
