import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { Run } from '../../../bin/command/command.ts';
import { type Finished, runHere } from '../../fixtures/operator-command.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** A copy in which a team has made the edits that the README and docs/operations.md speak of. */
const copy = mkdtempSync(join(tmpdir(), 'team-'));
afterAll(() => rmSync(copy, { recursive: true }));
for (const part of [
  'bin',
  'lib',
  'functions',
  'test/lib',
  'cdk.json',
  'package.json',
  'biome.json',
  '.gitignore',
])
  cpSync(join(root, part), join(copy, part), { recursive: true });
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
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

/** A module of the copy. */
const ofCopy = <Module>(file: string): Promise<Module> => import(join(copy, file)) as Promise<Module>;

/** `npm run record-templates` of the copy. */
async function record(): Promise<Finished> {
  const { run } = await ofCopy<{ readonly run: Run }>('bin/record-templates.ts');
  return runHere(run, []);
}

/** What `npm test` begins with: nobody's settings have to be laid out as ours are. Throws what it finds. */
const lint = (): unknown => {
  const biome = 'node_modules/@biomejs/biome/bin/biome';
  const args = [biome, 'check', '--error-on-warnings', 'lib', 'recorded-templates'];
  return execFileSync(process.execPath, args, { cwd: copy });
};

describe("a team's own settings", () => {
  describe('pass the tests:', async () => {
    await import(join(copy, 'test/lib/team/own-stages.test.ts'));
  });

  it('are recorded, and then guard what holds data', async () => {
    const recorded = await record();
    lint();
    // As if this version had renamed the construct.
    const file = join(copy, 'recorded-templates/dev.template.json');
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('UsersTable6D91A5EE', 'MembersTable0A1B2C3D'));
    const renamed = await record();
    const { lossesOf } =
      await ofCopy<typeof import('../../../bin/templates/recorded.ts')>('bin/templates/recorded.ts');
    const { settingsFor } = await ofCopy<typeof import('../../../lib/stages.ts')>('lib/stages.ts');

    expect(recorded).toEqual({
      status: 0,
      stdout: 'recorded dev\nrecorded prod\nrecorded prod-eu\n',
      stderr: '',
    });
    const loss = 'MembersTable0A1B2C3D (AWS::DynamoDB::GlobalTable) is removed or renamed';
    expect(renamed).toEqual({
      status: 1,
      stdout: '',
      stderr: `Stage 'dev' would lose data: ${loss}. If you mean it, delete ${file} and run this again.\n`,
    });
    // Which the tests ask for as well.
    expect(lossesOf('dev', settingsFor('dev'))).toEqual([loss]);
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
