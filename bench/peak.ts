/** Measures a peak: more logins at once than there are environments, with a WeChat that is near, far, or hardly there. */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { LocalService } from '../local/service.ts';
import type { Load, LoadRequest, LoadResult } from './load.ts';
import { compare, type Measurement } from './measurement.ts';
import { newOpenid, wxLogin } from './wx-login.ts';

/** How much is measured. */
export interface PeakCounts {
  /** How far the service's WeChat is away, milliseconds: for the rows' names. */
  readonly wechatDelayMs: number;
  /** The service's own limit for the login function: as `reservedConcurrency` limits it. */
  readonly environments: number;
  /** Logins at once. */
  readonly logins: number;
}

/** As an hour has its peaks: the same number of logins in so many bursts. */
const BURSTS = 4;

/** Measures; the floor is one login after another. What waits for an environment waits here, where AWS refuses it (429). */
export async function measurePeak(
  { url, simulatorUrl = '' }: LocalService,
  { wechatDelayMs, environments, logins }: PeakCounts,
): Promise<readonly Measurement[]> {
  const generator = new Worker(new URL('./load.ts', import.meta.url));
  try {
    const logIn = async (): Promise<LoadRequest> => ({
      method: 'POST',
      url: `${url}/member/login`,
      body: JSON.stringify({ code: await wxLogin(simulatorUrl, newOpenid())() }),
    });
    const send = async (count: number, concurrency: number): Promise<LoadResult> => {
      const requests = await Promise.all(Array.from({ length: count }, logIn));
      generator.postMessage({ requests, concurrency, mayFail: true } satisfies Load);
      const [result] = (await once(generator, 'message')) as [LoadResult];
      return result;
    };
    await send(environments, environments);
    const single = await send(Math.min(environments, 5), 1);
    const bursts = [];
    for (let burst = 0; burst < BURSTS; burst++) {
      bursts.push(await send(Math.ceil(logins / BURSTS), logins));
      await pause(500);
    }
    const all = await send(logins, logins);
    const burst = {
      durations: bursts.flatMap(({ durations }) => durations),
      elapsedMs: bursts.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0),
      failed: bursts.reduce((sum, { failed }) => sum + failed, 0),
    };
    const rows = [
      { row: 'one after another', ...single },
      { row: `bursts of ${Math.ceil(logins / BURSTS)}`, ...burst },
      { row: `${logins} at once`, ...all },
    ];
    return compare(
      `a peak: ${environments} environments, WeChat ${wechatDelayMs} ms`,
      rows.map(({ row, failed, ...series }) => ({ row: `${row}, ${failed} failed`, ...series })),
    );
  } finally {
    await generator.terminate();
  }
}
