/** Writes JSON, one line each, where Lambda takes log lines and metrics from. */
import fs from 'node:fs';

const STDOUT = 1;

/**
 * Past `console`, which Lambda's runtime replaces to put its own words in front of each line, and past `process.stdout`,
 * which takes milliseconds to open. Whoever reads may set the pipe so that it does not wait when it is full.
 */
export function writeLine(line: object): void {
  let rest = Buffer.from(`${JSON.stringify(line)}\n`);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(fs.writeSync(STDOUT, rest));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    }
  }
}
