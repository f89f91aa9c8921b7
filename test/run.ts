/**
 * `npm test`: two runs of vitest beside each other. The files of `e2e` share one service and its faults, so they run one
 * after another, and would leave a core idle if they ran alone.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

const vitest = join(import.meta.dirname, '../node_modules/vitest/vitest.mjs');

// What vitest.config.ts has Node keep grows with each temporary folder that code was loaded from.
rmSync(join(import.meta.dirname, '../node_modules/.cache/compiled'), { recursive: true, force: true });

interface Finished {
  readonly status: number;
  readonly output: string;
  /** What the closing line counts. */
  readonly passed: number;
  readonly failed: number;
}

async function run(project: string, isShown: boolean): Promise<Finished> {
  const child = spawn(process.execPath, [vitest, 'run', `--project=${project}`], {
    env: { ...process.env, ...(process.stdout.isTTY && { FORCE_COLOR: '1' }) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (isShown) process.stdout.write(text);
  });
  // Not `exit`, before which not everything is read.
  const [status] = (await once(child, 'close')) as [number | null];
  const [, passed = 0, failed = 1] = /(\d+) passed, (\d+) failed\n$/.exec(output) ?? [];
  return { status: status ?? 1, output, passed: Number(passed), failed: Number(failed) };
}

const [others, e2e] = await Promise.all([run('!e2e', true), run('e2e', false)]);
process.stdout.write(e2e.output);
console.log(`Together:\n${others.passed + e2e.passed} passed, ${others.failed + e2e.failed} failed`);
process.exitCode = Math.max(others.status, e2e.status);
