/**
 * `npm test`: lint, types, and two runs of vitest, all beside each other, because each of them alone would leave a core
 * idle. The files of `e2e` share one service and its faults, so they run one after another.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setup as synthesizeSharedStack } from './fixtures/local-service.ts';

const root = join(import.meta.dirname, '..');

// What vitest.config.ts has Node keep grows with each temporary folder that code was loaded from.
rmSync(join(root, 'node_modules/.cache/compiled'), { recursive: true, force: true });

interface Finished {
  readonly name: string;
  readonly status: number;
  readonly output: string;
}

/** @param isShown whether what it prints is seen at once, and not when all have ended */
async function run(name: string, args: readonly string[], isShown = false): Promise<Finished> {
  const child = spawn(process.execPath, args, {
    cwd: root,
    // esbuild is written in Go, whose garbage collector takes a third of a build's time unless it may wait.
    env: { GOGC: '400', ...process.env, ...(process.stdout.isTTY && { FORCE_COLOR: '1' }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (isShown) process.stdout.write(text);
    });
  // Not `exit`, before which not everything is read.
  const [status] = (await once(child, 'close')) as [number | null];
  return { name, status: status ?? 1, output };
}

const script = (name: string): Promise<Finished> => run(`npm run ${name}`, ['--run', name]);

const vitest = (project: string, isShown: boolean): Promise<Finished> =>
  run(project, ['node_modules/vitest/vitest.mjs', 'run', `--project=${project}`], isShown);

const checking = Promise.all([script('lint'), script('typecheck')]);
// Both runs of vitest start services of it.
const removeSharedStack = await synthesizeSharedStack();
const [others, e2e] = await Promise.all([vitest('!e2e', true), vitest('e2e', false)]);
await removeSharedStack();
const checks = await checking;
process.stdout.write(e2e.output);
const broken = checks.filter(({ status }) => status !== 0);
for (const { name, output } of broken) process.stdout.write(`\nFailed: ${name}\n${output}`);

let [passed, failed] = [0, broken.length];
for (const { output } of [others, e2e]) {
  const [, fine = 0, wrong = 1] = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1) ?? [];
  passed += Number(fine);
  failed += Number(wrong);
}
console.log(`Together:\n${passed} passed, ${failed} failed`);
process.exitCode = Math.max(others.status, e2e.status, ...checks.map(({ status }) => status));
