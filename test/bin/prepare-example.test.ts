/** From a fresh clone to the example logged in: what `npm run prepare-example` leaves for the developer tools. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { run } from '../../bin/prepare-example.ts';
import packageJson from '../../package.json' with { type: 'json' };

const example = fileURLToPath(new URL('../../examples/mini-program', import.meta.url));

it('leaves JavaScript beside each source, and the client where the tools look, in two commands of the README', async () => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];

  expect(await run([], { stdin: new PassThrough(), stdout, stderr, env: {} })).toBe(0);

  expect(String(stdout.read())).toContain('import the project');
  const app = join(example, 'miniprogram');
  for (const source of globSync('**/*.ts', { cwd: app }))
    expect(existsSync(join(app, source.replace(/ts$/, 'js'))), source).toBe(true);
  const client = readFileSync(join(app, 'miniprogram_npm/wechat-login-client/index.js'), 'utf8');
  expect(client).toContain('createLoginClient');

  const [, fence = ''] = /```sh\n(.*?)```/s.exec(readFileSync(join(example, 'README.md'), 'utf8')) ?? [];
  const commands = fence
    .trim()
    .split('\n')
    .map((line) => line.replace(/ +#.*$/, ''));
  expect(commands).toEqual(['npm ci && npm run prepare-example', 'npm start -- --with-example']);
  expect(packageJson.scripts['prepare-example']).toBe('node bin/prepare-example.ts');
});
