import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CommandName, commands, runCommand } from '../../fixtures/operator-command.ts';
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

/**
 * `npm run`: the first of each command by Node's own runner of scripts, as a process; the others, of twenty, in the
 * process of this test. It sends them what `"$@"` is, each followed by a NUL, and after a second one what is typed.
 */
const npm = `#!/bin/sh
test "$1" = run && shift
test "$1" = --silent && shift
mkdir "$RAN/$1" 2>/dev/null && exec '${process.execPath}' --run "$@"
{ printf '%s\\0' "$@" ''; cat; } | curl -s --data-binary @- "$COMMANDS"
`;

/** Runs what the script above sends, and keeps what the commands complain of. */
async function serveCommands(env: StartedRun['env'], complaints: string[]) {
  const server = createServer(async (request, response) => {
    const [, line = '', input] = /^(.*?)\0\0(.*)$/s.exec(await text(request)) ?? [];
    const [name = '', ...args] = line.split('\0').filter((arg, at) => at !== 1 || arg !== '--');
    if (!isCommand(name)) throw new TypeError(`there is no command ${name}`);
    const { stdout, stderr } = await runCommand(name, args, { env, ...(input && { input }) });
    complaints.push(stderr);
    response.end(stdout);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

const isCommand = (name: string): name is CommandName => Object.hasOwn(commands, name);

let run: StartedRun;
let folder: string;
let logFile: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rehearse-'));
  logFile = join(folder, 'start.log');
  run = await startRun({}, { onLine: (line) => appendFileSync(logFile, `${line}\n`) });
  for (const inside of ['bin', 'ran']) mkdirSync(join(folder, inside));
  writeFileSync(join(folder, 'bin/npm'), npm, { mode: 0o755 });
});
afterAll(async () => {
  await run.end();
  rmSync(folder, { recursive: true });
});

/** Milliseconds that only end what hangs: a busy machine takes minutes for so many commands. */
const PATIENCE_MS = 1_200_000;

/** Runs all the blocks in one shell, as they are pasted; resolves to what each of them printed. */
async function paste(): Promise<readonly string[]> {
  const END = '--- end of a block ---';
  const script = steps.map(({ commands }) => `${commands}\necho '${END}'\n`).join('');
  const ofRun = { ...run.env, PORT: new URL(run.url).port };
  const complaints: string[] = [];
  const server = await serveCommands(ofRun, complaints);
  const shell = {
    PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
    START_LOG: logFile,
    RAN: join(folder, 'ran'),
    COMMANDS: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  };
  const env = { ...process.env, ...ofRun, ...shell };
  return new Promise((resolve) => {
    const pasted = execFile(
      'bash',
      ['-c', script],
      { cwd: root, env, timeout: PATIENCE_MS },
      (_error, stdout, stderr) => {
        server.close();
        resolve(stdout.split(END).map((printed) => printed + stderr + complaints.join('')));
      },
    );
    pasted.stdin?.end();
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
