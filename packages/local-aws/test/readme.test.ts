import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

test('the lines of the README start a CDK app, which keeps what it is sent, and Ctrl-C ends it', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, lines = ''] = /```js\n(.*?)```/s.exec(readme) ?? [];
  const program = spawn(process.execPath, ['--input-type=module', '--eval', lines], {
    cwd: fileURLToPath(new URL('fixtures/app', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void program.kill('SIGKILL'));
  const [said] = (await once(createInterface({ input: program.stdout }), 'line')) as [string];
  const [url] = said.split(' ');

  const response = await fetch(`${url}/hello`, { method: 'POST', body: 'hello' });

  expect([response.status, await response.json()]).toEqual([200, { kept: 'hello', colour: 'red' }]);
  program.kill('SIGINT');
  expect(await once(program, 'exit')).toEqual([0, null]);
});
