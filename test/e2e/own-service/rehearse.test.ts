import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type StartedRun, startRun } from '../../fixtures/started-run.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const page = readFileSync(join(root, 'docs/rehearse.md'), 'utf8');

/** Each block of commands with what the page says that it prints. */
const steps = [...page.matchAll(/```sh\n(.*?)```\n\n```text\n(.*?)```/gs)].map(
  ([, commands = '', output = '']) => ({
    commands,
    output: output.trim().split('\n'),
  }),
);

/** `npm run` by Node's own runner of scripts, which starts a third of a second earlier: the page has twenty of them. */
const npm = `#!/bin/sh
test "$1" = run && shift
test "$1" = --silent && shift
exec '${process.execPath}' --run "$@"
`;

let run: StartedRun;
let folder: string;
beforeAll(async () => {
  run = await startRun();
  folder = mkdtempSync(join(tmpdir(), 'rehearse-'));
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin/npm'), npm, { mode: 0o755 });
});
afterAll(async () => {
  await run.end();
  rmSync(folder, { recursive: true });
});

/** Milliseconds that only end what hangs: a busy machine takes minutes for so many commands. */
const PATIENCE_MS = 1_200_000;

/** Runs all the blocks in one shell, as they are pasted; resolves to what each of them printed. */
function paste(): Promise<readonly string[]> {
  const END = '--- end of a block ---';
  const script = steps.map(({ commands }) => `${commands}\necho '${END}'\n`).join('');
  const logFile = join(folder, 'start.log');
  writeFileSync(logFile, '');
  const PATH = `${join(folder, 'bin')}:${process.env.PATH}`;
  const env = { ...process.env, ...run.env, PATH, PORT: new URL(run.url).port, START_LOG: logFile };
  const keepLog = setInterval(() => writeFileSync(logFile, run.lines.join('\n')), 100);
  return new Promise((resolve) => {
    execFile('bash', ['-c', script], { cwd: root, env, timeout: PATIENCE_MS }, (_error, stdout, stderr) => {
      clearInterval(keepLog);
      resolve(stdout.split(END).map((printed) => printed + stderr));
    });
  });
}

it('prints what the page says, command by command, however it is pasted', {
  timeout: PATIENCE_MS,
}, async () => {
  expect(steps.length).toBeGreaterThan(8);
  expect(page.split('```sh').length - 1).toBe(steps.length);

  const printed = await paste();

  for (const [index, { commands, output }] of steps.entries()) {
    let rest = printed[index] ?? '';
    for (const part of output.flatMap((line) => line.split('…')).filter((text) => text !== '')) {
      expect(rest, `after:\n${commands}`).toContain(part);
      rest = rest.slice(rest.indexOf(part) + part.length);
    }
  }
});

it('prints lines that log in when they are pasted', async () => {
  const lines = run.lines.filter((line) => /^ {2}(TOKEN=|curl )/.test(line));
  expect(lines).toHaveLength(2);

  const { stdout } = await promisify(execFile)('bash', ['-c', lines.join('\n')]);

  expect(JSON.parse(stdout)).toMatchObject({ code: 200, data: { user_id: expect.any(String) } });
});

it('says at the end what was ended', async () => {
  await run.end();

  expect(run.lines.at(-1)).toBe(
    `Ended: the service at ${run.url} with its functions, database and secrets; the WeChat simulator.`,
  );
});
