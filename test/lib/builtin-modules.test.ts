import { spawnSync } from 'node:child_process';
import { builtinModules } from 'node:module';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { builtinModuleAliases } from '../../lib/compute/builtin-modules.ts';
import { options } from '../../lib/compute/bundle.ts';

/** What a program prints as JSON, when it is bundled as functions are. */
async function outputOf(contents: string): Promise<unknown> {
  const { outputFiles } = await build({
    ...options,
    stdin: { contents, resolveDir: import.meta.dirname },
    inject: [],
    write: false,
  });
  const args = ['--no-warnings', '--input-type=module', '-'];
  const input = outputFiles[0]?.text ?? '';
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', input });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

const print = 'const print = (value) => console.log(JSON.stringify(value));';
const loaded = `const loaded = () => process.moduleLoadList.includes('NativeModule zlib');`;

describe("one of Node's modules in a bundle", () => {
  it.each([
    ['a member', "import { gzipSync } from 'node:zlib'; const use = () => gzipSync('a');"],
    ['everything', "import * as zlib from 'zlib'; const use = () => zlib.gzipSync('a');"],
    ['the default', "import zlib from 'node:zlib'; const use = () => zlib.gzipSync('a');"],
    ['a require', "const zlib = require('zlib'); const use = () => zlib.gzipSync('a');"],
    [
      'a dynamic import',
      "const zlib = await import('node:zlib'); const use = () => zlib.default.gzipSync('a');",
    ],
  ])('is loaded when it is used, and not before: %s', async (_, imported) => {
    const program = `${imported} ${print} ${loaded} const before = loaded();
      print([before, use().length > 0, loaded()]);`;

    const [before, works, after] = (await outputOf(program)) as boolean[];

    expect([works, after]).toEqual([true, true]);
    // A promise asks whether what it resolves to has a \`then\`.
    expect(before).toBe(imported.includes('await'));
  });

  it('can be called or extended, where it is a function', async () => {
    const program = `import assert from 'node:assert'; import { EventEmitter } from 'node:events';
      const Events = require('events'); import Stream, { Readable } from 'node:stream'; ${print}
      assert(true);
      print([new (class extends Events {})() instanceof EventEmitter, Readable.prototype instanceof Stream]);`;

    expect(await outputOf(program)).toEqual([true, true]);
  });

  it('asserts without the module, which says what failed', async () => {
    const program = `import assert, { equal } from 'node:assert'; ${print} ${loaded.replace('zlib', 'assert')}
      assert(1, 'holds'); const before = loaded(); const said = [];
      for (const fail of [() => assert(0, 'fails'), () => assert.equal(1, 2, 'differs'), () => equal(1, 2, 'too')])
        try { fail() } catch ({ code, message }) { said.push(code, message) }
      print([before, loaded(), ...said]);`;

    const failure = 'ERR_ASSERTION';
    expect(await outputOf(program)).toEqual([
      false,
      true,
      failure,
      'fails',
      failure,
      'differs',
      failure,
      'too',
    ]);
  });

  it('every module that is a function is one in a bundle', () => {
    const functions = builtinModules.filter(
      (name) =>
        !name.startsWith('_') && name !== 'sys' && typeof process.getBuiltinModule(name) === 'function',
    );
    const proxied = functions.filter((name) => builtinModuleAliases[name]?.includes('Proxy'));

    expect(functions).toContain('events');
    // Which can be called all the same.
    expect(proxied).toEqual(['assert']);
  });

  it('says that it is not there, where no function needs it', async () => {
    const program = `${print} const said = [];
      try { require('node:http2') } catch ({ message }) { said.push(message) }
      const { readFile } = await import('node:fs/promises');
      await readFile('package.json').catch(({ message }) => said.push(message)); print(said);`;

    expect(await outputOf(program)).toEqual([
      'a bundle has no HTTP/2',
      'a bundle reads no files of settings',
    ]);
  });
});

it("DynamoDB's cache of endpoints says in a bundle that it is not there", async () => {
  const program = `import { DynamoDBClient } from '@aws-sdk/client-dynamodb'; ${print}
    const { endpointCache } = new DynamoDBClient({ region: 'eu-west-1' }).config;
    try { await endpointCache.get('users') } catch ({ message }) { print(message) }`;

  expect(await outputOf(program)).toBe('a bundle discovers no endpoints');
});
