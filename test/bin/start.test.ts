import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { keepAddress } from '../../local/data-dir.ts';
import { runCommand, spawnCommand } from '../fixtures/operator-command.ts';

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
  ['a host that is a name', 'HOST', async () => ({ HOST: 'my-laptop' })],
  ['a host of another machine', 'HOST', async () => ({ HOST: '203.0.113.1' })],
  ['an appid without its secret', 'WECHAT_SECRET', async () => ({ WECHAT_APPID: 'wx1' })],
  ['an appid that is none', 'WECHAT_APPID', async () => ({ WECHAT_APPID: 'gh_1', WECHAT_SECRET: 's' })],
  ['a Token of nobody', 'WECHAT_PUSH_TOKEN', async () => ({ WECHAT_PUSH_TOKEN: 'TheToken' })],
  [
    'a Token that is none',
    'WECHAT_PUSH_TOKEN',
    async () => ({ WECHAT_APPID: 'wx1', WECHAT_SECRET: 's', WECHAT_PUSH_TOKEN: 'the token' }),
  ],
  [
    'a key without its Token',
    'WECHAT_ENCODING_AES_KEY',
    async () => ({ WECHAT_ENCODING_AES_KEY: 'A'.repeat(43) }),
  ],
  [
    'a key that is too short',
    'WECHAT_ENCODING_AES_KEY',
    async () => ({
      ...{ WECHAT_APPID: 'wx1', WECHAT_SECRET: 's', WECHAT_PUSH_TOKEN: 'TheToken' },
      WECHAT_ENCODING_AES_KEY: 'A'.repeat(42),
    }),
  ],
  ['a check that nobody knows', 'CONTENT_CHECK', async () => ({ CONTENT_CHECK: 'avatars' })],
  ['a function that there is not', 'INSPECT', async () => ({ INSPECT: 'logins' })],
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
  const { status, stderr } = await runCommand('start', [], { env: { PORT: '0', ...(await variables()) } });

  expect(stderr).toMatch(new RegExp(`^[^\\n]*\\b${variable}\\b[^\\n]*\\.\\n$`));
  expect(status).toBe(1);
});

it('says which tokens of the data do not survive another address', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'local-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  keepAddress(folder, 'http://192.168.1.5:4711');
  const PORT = await anyPort();

  const { stderr } = await runCommand('start', [], { env: { PORT, DATA_DIR: folder } });

  expect(stderr).toMatch(
    new RegExp(
      `^Tokens that were handed out at http://192\\.168\\.1\\.5:4711 are refused at http://127\\.0\\.0\\.1:${PORT}: [^\n]+\nPort ${PORT} is already in use`,
    ),
  );
});

it('ends with 1 as a process of its own too', async () => {
  expect(await spawnCommand('start', [], { env: { PORT: 'http' } })).toEqual({
    status: 1,
    stdout: '',
    stderr: "PORT is 'http'; it must be a whole number from 0 to 65535.\n",
  });
});
