/** Shows measurements as a table that fits a terminal. */
import type { Measurement } from './measurement.ts';

const columns: readonly { readonly title: string; readonly text: (row: Measurement) => string }[] = [
  { title: 'n', text: ({ samples }) => String(samples) },
  { title: 'min ms', text: ({ least }) => short(least) },
  { title: 'p50 ms', text: ({ p50 }) => short(p50) },
  { title: 'p95 ms', text: ({ p95 }) => short(p95) },
  { title: 'p99 ms', text: ({ p99 }) => short(p99) },
  { title: '+ floor', text: ({ aboveFloor }) => short(aboveFloor) },
  { title: '× floor', text: ({ timesFloor }) => timesFloor.toFixed(2) },
  { title: '× min', text: ({ leastTimesFloor }) => leastTimesFloor.toFixed(2) },
  { title: 'per s', text: ({ perSecond }) => (perSecond === undefined ? '' : perSecond.toFixed(0)) },
  { title: 'KB', text: ({ sizeKb }) => (sizeKb === undefined ? '' : sizeKb.toFixed(0)) },
];

const NAME_WIDTH = 48;
const COLUMN_WIDTH = 8;

/** The table: a block for each part, its first row the floor that the others are compared to. */
export function toTable(measurements: readonly Measurement[]): string {
  const blocks = Map.groupBy(measurements, ({ part }) => part);
  return [...blocks]
    .map(([part, rows]) =>
      [
        line(
          part,
          columns.map(({ title }) => title),
        ),
        ...rows.map((row) =>
          line(
            `  ${row.row}`,
            columns.map(({ text }) => text(row)),
          ),
        ),
      ].join('\n'),
    )
    .join('\n\n');
}

function line(name: string, cells: readonly string[]): string {
  return (name.padEnd(NAME_WIDTH) + cells.map((cell) => cell.padStart(COLUMN_WIDTH)).join('')).trimEnd();
}

/** Three digits that mean something, for microseconds as for seconds. */
function short(ms: number): string {
  return ms.toFixed(Math.abs(ms) < 1 ? 3 : Math.abs(ms) < 100 ? 1 : 0);
}
