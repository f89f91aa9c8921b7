/** What a measurement is: durations become percentiles, and a ratio to the floor measured beside them. */

/** The durations of one row, milliseconds. */
export interface Series {
  readonly row: string;
  readonly durations: readonly number[];
  /** Wall time of all of them together, milliseconds; where throughput means something. */
  readonly elapsedMs?: number;
  /** Size of what was measured, in KB of 1,024 bytes. */
  readonly sizeKb?: number;
}

/** One row of the report. Times are milliseconds. */
export interface Measurement {
  readonly part: string;
  readonly row: string;
  readonly samples: number;
  readonly least: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly perSecond?: number;
  readonly sizeKb?: number;
  /** The median beyond that of the part's floor. */
  readonly aboveFloor: number;
  /** The median as a multiple of the floor's. */
  readonly timesFloor: number;
  /** The least as a multiple of the floor's: steadier on a busy machine. */
  readonly leastTimesFloor: number;
}

/**
 * The rows of a part, compared to its floor: the first of them.
 *
 * @throws TypeError when a series is empty
 */
export function compare(part: string, series: readonly Series[]): readonly Measurement[] {
  const floor = percentile(series[0]?.durations ?? [], 50);
  const leastFloor = percentile(series[0]?.durations ?? [], 0);
  return series.map(({ row, durations, elapsedMs, sizeKb }) => {
    const p50 = percentile(durations, 50);
    return {
      part,
      row,
      samples: durations.length,
      least: percentile(durations, 0),
      p50,
      p95: percentile(durations, 95),
      p99: percentile(durations, 99),
      ...(elapsedMs !== undefined && { perSecond: (durations.length * 1000) / elapsedMs }),
      ...(sizeKb !== undefined && { sizeKb }),
      aboveFloor: p50 - floor,
      timesFloor: p50 / floor,
      leastTimesFloor: percentile(durations, 0) / leastFloor,
    };
  });
}

/** The nearest-rank percentile: always a value that was measured. */
function percentile(durations: readonly number[], percent: number): number {
  const sorted = durations.toSorted((a, b) => a - b);
  const value = sorted[Math.max(Math.ceil((percent / 100) * sorted.length), 1) - 1];
  if (value === undefined) throw new TypeError('a series needs at least one duration');
  return value;
}

/** A piece of work that is measured: one row. */
export interface Work {
  readonly row: string;
  readonly run: () => unknown;
}

/** How often {@link measureInTurn} runs each piece of work. */
export interface Rounds {
  /** Unmeasured ones first, until code is compiled and caches are filled. */
  readonly warmUp: number;
  readonly measured: number;
}

/** Times each piece of work in turn, round after round, so that what else the machine does hits all rows alike. */
export async function measureInTurn(
  works: readonly Work[],
  { warmUp, measured }: Rounds,
): Promise<readonly Series[]> {
  const series = works.map(({ row, run }) => ({ row, run, durations: [] as number[] }));
  for (let round = -warmUp; round < measured; round++) {
    for (const { run, durations } of series) {
      const startedAt = performance.now();
      await run();
      if (round >= 0) durations.push(performance.now() - startedAt);
    }
  }
  return series.map(({ row, durations }) => ({ row, durations }));
}
