import { execFile } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Run } from '../../../bin/command/command.ts';
import { type Finished, runHere } from '../../fixtures/operator-command.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
let folder: string;
let copy: string;

/** A copy in which a team has made the edits that the README and docs/operations.md speak of. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'team-'));
  copy = join(folder, 'edited');
  for (const part of [
    'bin',
    'lib',
    'functions',
    'test',
    'cdk.json',
    'package.json',
    'biome.json',
    '.gitignore',
  ])
    cpSync(join(root, part), join(copy, part), { recursive: true });
  rmSync(join(copy, 'recorded-templates'), { recursive: true, force: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  writeFileSync(
    join(copy, 'vitest.config.ts'),
    `export default { test: { include: ['test/lib/team/own-stages.test.ts'], testTimeout: 300_000 } };\n`,
  );
  writeFileSync(
    join(copy, 'lib/config.ts'),
    `import { defaults, production } from './defaults.ts';
export const stages = {
  dev: { ...defaults, appids: ["wxabcdef0123456789"], alarmEmails: { urgent: ["pager@team.example"], notice: [] } },
  prod: {
    ...defaults,
    ...production,
    appids: ['wxabcdef0123456789', 'wx9876543210abcdef'],
    customDomain: {
      name: 'login.team.example',
      certificateArn: 'arn:aws:acm:ap-southeast-1:111111111111:certificate/01234567-89ab-cdef-0123-456789abcdef',
    },
    alarmEmails: { urgent: ['pager@team.example'], notice: ['login@team.example'] },
    runbookUrl: 'https://wiki.team.example/login',
    fixedEgressAddresses: 2,
  },
  'prod-eu': { ...defaults, ...production, appids: ['wxabcdef0123456789'] },
};
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a program of Node's in a copy; resolves to all it says, with its exit status before. */
function node(cwd: string, ...args: string[]): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const env = { ...process.env, NO_COLOR: '1' };
  execFile(process.execPath, args, { cwd, env }, (error, stdout, stderr) =>
    resolve(`${error === null ? 0 : error.code}\n${stdout}${stderr}`),
  );
  return promise;
}

/** The tests of a copy, or those whose names have a text. */
const test = (cwd: string, named = ''): Promise<string> =>
  node(cwd, 'node_modules/vitest/vitest.mjs', 'run', '-t', named);

/** `npm run record-templates` of a copy. */
async function record(cwd: string): Promise<Finished> {
  const { run } = (await import(join(cwd, 'bin/record-templates.ts'))) as { readonly run: Run };
  return runHere(run, []);
}

/** What `npm test` begins with: nobody's settings have to be laid out as ours are. */
const lint = (cwd: string): Promise<string> => {
  const biome = 'node_modules/@biomejs/biome/bin/biome';
  return node(cwd, biome, 'check', '--error-on-warnings', 'lib', 'recorded-templates');
};

describe("a team's own settings", () => {
  it('pass the tests, are recorded, and then guard what holds data', async () => {
    const edited = await test(copy);
    const recorded = await record(copy);
    const linted = await lint(copy);
    const changed = join(folder, 'changed');
    cpSync(copy, changed, { recursive: true });
    const stack = join(changed, 'lib/login-stack.ts');
    writeFileSync(stack, readFileSync(stack, 'utf8').replace("(this, 'Users',", "(this, 'Members',"));
    const renamed = await test(changed, 'loses no data');
    const notRecorded = await record(changed);

    expect(edited).toMatch(/^0\n/);
    expect(recorded).toEqual({
      status: 0,
      stdout: 'recorded dev\nrecorded prod\nrecorded prod-eu\n',
      stderr: '',
    });
    expect(linted).toMatch(/^0\n/);
    expect(renamed).toMatch(/^1\n/);
    expect(renamed).toContain('UsersTable6D91A5EE (AWS::DynamoDB::GlobalTable) is removed or renamed');
    expect(notRecorded).toMatchObject({ status: 1, stdout: '' });
    expect(notRecorded.stderr).toMatch(
      /^Stage 'dev' would lose data: UsersTable6D91A5EE [^\n]*\. If you mean it, delete [^\n]*dev\.template\.json and run this again\.\n$/,
    );
  });

  it('are read by one test alone; all others have stages of their own', () => {
    const readers = globSync('test/**/*.test.ts', { cwd: root }).filter((file) =>
      /from '[./]*lib\/(config|stages)\.ts'/.test(readFileSync(join(root, file), 'utf8')),
    );

    // The second passes stages of its own to the same function.
    expect(readers.sort()).toEqual(['test/lib/config.test.ts', 'test/lib/team/own-stages.test.ts']);
  });

  it('name stages that no command of an operator has to know: their tests would fail for a team', () => {
    const knowing = globSync('bin/**/*.ts', { cwd: root }).filter((file) =>
      /\bstageNames\b/.test(readFileSync(join(root, file), 'utf8')),
    );

    expect(knowing).toEqual(['bin/record-templates.ts']);
  });
});
