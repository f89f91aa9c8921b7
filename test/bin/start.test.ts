import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';

const command = fileURLToPath(new URL('../../bin/start.ts', import.meta.url));

/** Runs `npm start` with these variables to its end; it is expected to refuse. */
function run(
  variables: Record<string, string>,
  ...args: string[]
): Promise<{ exitCode: number | null; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [command, ...args],
      { env: { PATH: process.env.PATH, PORT: '0', ...variables }, timeout: 200_000 },
      (_error, _stdout, stderr) => resolve({ exitCode: child.exitCode, stderr }),
    );
  });
}

async function listen(answer: RequestListener): Promise<number> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const file = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'local-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'file');
  writeFileSync(path, '');
  return path;
};

const anyPort = async () => String(await listen((_, response) => response.end('hello')));

it.each<[string, string, () => Promise<Record<string, string>>]>([
  ['a port that is no number', 'PORT', async () => ({ PORT: 'http' })],
  ['a port of spaces', 'PORT', async () => ({ PORT: ' ' })],
  ['a port that is too high', 'PORT', async () => ({ PORT: '65536' })],
  ['a port in use', 'PORT', async () => ({ PORT: await anyPort() })],
  ['an appid without its secret', 'WECHAT_SECRET', async () => ({ WECHAT_APPID: 'wx1' })],
  ['an appid that is none', 'WECHAT_APPID', async () => ({ WECHAT_APPID: 'gh_1', WECHAT_SECRET: 's' })],
  ['a WeChat that is no URL', 'WECHAT_API_BASE', async () => ({ WECHAT_API_BASE: 'localhost:8080' })],
  ['a WeChat with a query', 'WECHAT_API_BASE', async () => ({ WECHAT_API_BASE: 'http://a/?b' })],
  ['a list with a gap', 'WECHAT_API_BASE', async () => ({ WECHAT_API_BASE: 'http://a,,http://b' })],
  ['a data directory that is a file', 'DATA_DIR', async () => ({ DATA_DIR: file() })],
  [
    'a DynamoDB that is something else',
    'DYNAMODB_ENDPOINT',
    async () => ({ DYNAMODB_ENDPOINT: `http://127.0.0.1:${await anyPort()}` }),
  ],
])('%s is refused in one sentence that names %s', async (_what, variable, variables) => {
  const { exitCode, stderr } = await run(await variables());

  expect(stderr).toMatch(new RegExp(`^[^\\n]*\\b${variable}\\b[^\\n]*\\.\\n$`));
  expect(exitCode).toBe(1);
});

it('an option that there is not is refused in one sentence that names the one there is', async () => {
  for (const option of ['--with-exmaple', 'with-example', '--with-example=yes']) {
    const { exitCode, stderr } = await run({}, option);

    expect(stderr, option).toBe('The only option is --with-example.\n');
    expect(exitCode).toBe(1);
  }
});
