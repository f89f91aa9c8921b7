/**
 * `npm test`: two runs of vitest beside each other. The files of `e2e` share one service and its faults, so they run one
 * after another, and would leave a core idle if they ran alone.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const vitest = join(import.meta.dirname, '../node_modules/vitest/vitest.mjs');

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
  if (isShown) child.stdout.pipe(process.stdout);
  const [output, [status]] = await Promise.all([
    text(child.stdout),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  const [, passed = 0, failed = 0] = /(\d+) passed, (\d+) failed\n$/.exec(output) ?? [];
  return { status: status ?? 1, output, passed: Number(passed), failed: Number(failed) };
}

const [others, e2e] = await Promise.all([run('!e2e', true), run('e2e', false)]);
process.stdout.write(e2e.output);
console.log(`Together:\n${others.passed + e2e.passed} passed, ${others.failed + e2e.failed} failed`);
process.exitCode = Math.max(others.status, e2e.status);
