/** How commands look: aligned columns, and colours where a person sits at a terminal that wants them (NO_COLOR is heard). */
import type { Writable } from 'node:stream';
import { styleText } from 'node:util';

const styles = { good: 'green', bad: 'red', odd: 'yellow', faint: 'dim', heading: 'bold' } as const;

/** What a colour says. */
type Style = keyof typeof styles;

/** Where lines go; `isTTY` is what a terminal has. */
export type Output = Writable & { readonly isTTY?: boolean };

export type Paint = (style: Style, text: string) => string;

/** Paints texts for where they go; in a pipe or a file they stay plain. */
export function painter(output: Output): Paint {
  return (style, text) => (output.isTTY ? styleText(styles[style], text, { stream: output }) : text);
}

/** Rows as lines, each column as wide as its widest cell; nothing stands behind the last one. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
