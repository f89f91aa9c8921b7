import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { defineCommand } from '../../../bin/command/command.ts';
import { CommandError } from '../../../bin/command/errors.ts';
import { type CommandName, commands, runCommand, runHere } from '../../fixtures/operator-command.ts';

const names = Object.keys(commands) as CommandName[];

it('every file of bin/ but the CDK app is a command', () => {
  const files = readdirSync(new URL('../../../bin/', import.meta.url)).filter((file) => file.endsWith('.ts'));

  expect(files.filter((file) => file !== 'app.ts').sort()).toEqual(names.map((name) => `${name}.ts`).sort());
});

it.each(names)('npm run %s explains itself when it is asked for help', async (name) => {
  const { status, stdout, stderr } = await runCommand(name, ['--help']);

  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(new RegExp(`^Usage: npm (run )?${name}\\b`));
});

it.each(names)(
  'npm run %s refuses a wrong option with a sentence that does not repeat it, and its usage',
  async (name) => {
    const { stdout: usage } = await runCommand(name, ['--help']);
    const unknown: string[] = [];
    for (const args of [['--oSECRET'], ['--oSECRET=oSECRET'], ['--stage', '--oSECRET']]) {
      const { status, stdout, stderr } = await runCommand(name, args);
      expect({ status, stdout }, args.join(' ')).toEqual({ status: 2, stdout: '' });
      expect(stderr).toMatch(/^[^\n]+\.\n\nUsage: /);
      expect(stderr.endsWith(`\n\n${usage}`)).toBe(true);
      unknown.push(stderr);
    }
    expect(unknown.join('')).not.toContain('oSECRET');
  },
);

it.each([
  [new CommandError('The table is not there.'), 'The table is not there.\n'],
  [new TypeError('x is not a function'), 'TypeError: x is not a function\n'],
])('a command that fails says so in a sentence without a stack: %s', async (error, stderr) => {
  const run = defineCommand({ usage: 'Usage', options: {}, body: () => Promise.reject(error) });

  expect(await runHere(run, [])).toEqual({ status: 1, stdout: '', stderr });
});
