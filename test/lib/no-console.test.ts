import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeTemporaryDirectory } from 'local-aws';
import { expect, it } from 'vitest';
import { bundledFunctions } from '../../bin/start/bundles.ts';
import { bundle } from '../../lib/compute/bundle.ts';
import { everything, synthesize } from './synthesize.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What only the console of a local run has: the path of its controls, and words of its page. */
const OF_THE_CONSOLE = /_local\/|local:console|Break WeChat/;

it('looks for what is in the console', () => {
  expect(readFileSync(join(root, 'local/console/server.ts'), 'utf8')).toMatch(OF_THE_CONSOLE);
});

it('is in no function that is deployed', async () => {
  for (const name of bundledFunctions) {
    const { directory, remove } = await makeTemporaryDirectory();
    bundle(name, directory);
    for (const file of globSync('**', { cwd: directory }).map((each) => join(directory, each)))
      if (statSync(file).isFile()) expect(readFileSync(file, 'utf8'), file).not.toMatch(OF_THE_CONSOLE);
    await remove();
  }
});

it('is in nothing that other teams install', () => {
  const files = globSync('dist/**', { cwd: root }).filter((file) => statSync(join(root, file)).isFile());

  expect(files.length).toBeGreaterThan(10);
  for (const file of files) expect(readFileSync(join(root, file), 'utf8'), file).not.toMatch(OF_THE_CONSOLE);
});

it('is in no template', () => {
  expect(JSON.stringify(synthesize('prod', { settings: everything }).toJSON())).not.toMatch(OF_THE_CONSOLE);
});
