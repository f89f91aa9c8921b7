import { exec } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { App } from 'aws-cdk-lib';
import { expect, it, onTestFinished, vi } from 'vitest';
import { addStack } from '../../bin/templates/stage-app.ts';
import { EXAMPLE_APPID } from '../../lib/before-launch.ts';
import { SettingsError } from '../../lib/settings.ts';
import { settingsFor } from '../fixtures/stages.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { app: command, context } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'));

/** A stage with users as it comes, whatever `lib/config.ts` says. */
const asItComes = { ...settingsFor('prod'), customDomain: null, publicUrl: null, monthlyBudget: null };

/** What a team has set before it launches. */
const ready = {
  ...asItComes,
  appids: ['wxabcdef0123456789'],
  customDomain: {
    name: 'login.example.com',
    certificateArn: 'arn:aws:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef',
  },
  alarmEmails: { urgent: ['night@example.com'], notice: ['day@example.com'] },
  runbookUrl: 'https://wiki.example.com/login',
};

type Variables = Readonly<Record<string, string>>;

const contextOf = (settings: object | string, stage: string): object => ({
  ...context,
  'aws:cdk:bundling-stacks': [],
  'aws:cdk:disable-creation-stack-traces': true,
  stage,
  settings,
});

/** Makes the app as its entry point does, without bundling the functions; answers its warnings, by setting. */
function synthesize(settings: object | string, { stage = 'dev', ...variables }: Variables = {}): string[] {
  for (const [name, value] of Object.entries({ CDK_DEFAULT_ACCOUNT: '', ...variables }))
    vi.stubEnv(name, value);
  const app = new App({ context: contextOf(settings, stage) });
  addStack(app);
  const [stack] = app.synth().stacks;
  return (stack?.messages ?? []).flatMap(
    ({ entry }) => /^'([\w.]+)' is not set for stage/.exec(String(entry.data))?.[1] ?? [],
  );
}

/**
 * Runs the entry point as the CDK CLI does. One that is installed elsewhere brings a Node of another version along, so
 * none is on the path here.
 */
async function run(
  settings: object,
): Promise<{ readonly stderr: string; readonly files: readonly string[] }> {
  const directory = mkdtempSync(join(tmpdir(), 'app-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const { promise, resolve } = Promise.withResolvers<string>();
  const env = {
    ...process.env,
    PATH: '',
    CDK_OUTDIR: directory,
    CDK_CONTEXT_JSON: JSON.stringify(contextOf(settings, 'dev')),
    CDK_DEFAULT_ACCOUNT: '',
  };
  exec(command, { cwd: root, env }, (_error, _stdout, text) => resolve(text));
  return { stderr: await promise, files: readdirSync(directory) };
}

const toIreland = { CDK_DEFAULT_ACCOUNT: '123456789012', CDK_DEFAULT_REGION: 'eu-west-1' };
const toVirginia = { ...toIreland, CDK_DEFAULT_REGION: 'us-east-1' };

it.each<[string, object | string, Variables, RegExp]>([
  [
    'an example where users are',
    { ...asItComes, appids: [EXAMPLE_APPID] },
    {},
    /^Stage 'dev': setting 'appids' still names wx0123456789abcdef, .* in lib\/config\.ts$/,
  ],
  [
    'a wrong setting',
    { appids: ['gh_1'] },
    {},
    /^Stage 'dev': setting 'appids\.0' is "gh_1": must be an AppID/,
  ],
  ['an unknown stage', {}, { stage: 'no' }, /^There is no stage 'no' in lib\/config\.ts; it has .*\bdev\b/],
  ['settings that are no JSON', '{', {}, /^-c settings=… must be a JSON object; it is \{$/],
  [
    'a certificate of another region',
    ready,
    toVirginia,
    /^Stage 'dev': setting 'customDomain\.certificateArn' is a certificate of eu-west-1, and the deployment goes to us-east-1: /,
  ],
])('%s is refused in one line', (_what, settings, variables, line) => {
  const refused = (): unknown => synthesize(settings, variables);

  expect(refused).toThrow(SettingsError);
  expect(refused).toThrow(line);
  expect(refused).not.toThrow('\n');
});

it('the app says what is refused in one line, and synthesizes nothing', async () => {
  const { stderr, files } = await run({ appids: ['gh_1'] });

  expect(stderr).toMatch(/^Stage 'dev': setting 'appids\.0' is "gh_1": [^\n]*\n$/);
  expect(files).toEqual([]);
});

it.each<[string, object, Variables, readonly string[]]>([
  ['an example where nobody is', { ...asItComes, protectData: false, appids: [EXAMPLE_APPID] }, {}, []],
  [
    'a stage with users as it comes',
    { ...asItComes, appids: ready.appids },
    {},
    ['customDomain', 'alarmEmails.urgent', 'alarmEmails.notice', 'runbookUrl'],
  ],
  ['one that is ready', ready, toIreland, []],
  // Without credentials the CDK CLI makes a region up.
  ['one that goes nowhere yet', ready, { ...toVirginia, CDK_DEFAULT_ACCOUNT: '' }, []],
])('%s is synthesized', (_what, settings, variables, expected) => {
  expect(synthesize(settings, variables)).toEqual(expected);
});
