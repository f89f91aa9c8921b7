import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { EXAMPLE_APPID } from '../../lib/before-launch.ts';
import { settingsFor } from '../fixtures/stages.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { context } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'));

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

interface Synthesized {
  readonly stderr: string;
  readonly files: readonly string[];
  readonly warnings: readonly string[];
}

/** Runs the app as the CDK CLI does, without bundling the functions. */
async function synthesize(
  settings: object | string,
  { stage = 'dev', ...variables }: Readonly<Record<string, string>> = {},
): Promise<Synthesized> {
  const directory = mkdtempSync(join(tmpdir(), 'app-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const { promise, resolve } = Promise.withResolvers<string>();
  const env = {
    ...process.env,
    CDK_VALIDATION: 'false',
    CDK_OUTDIR: directory,
    CDK_CONTEXT_JSON: JSON.stringify({ ...context, 'aws:cdk:bundling-stacks': [], stage, settings }),
    CDK_DEFAULT_ACCOUNT: '',
    ...variables,
  };
  execFile(process.execPath, ['bin/app.ts'], { cwd: root, env }, (_error, _stdout, text) => resolve(text));
  const stderr = await promise;
  const files = readdirSync(directory);
  const metadata = files.filter((file) => file.endsWith('metadata.json') || file === 'manifest.json');
  const warnings = metadata.flatMap((file) =>
    [...readFileSync(join(directory, file), 'utf8').matchAll(/"'([\w.]+)' is not set for stage/g)].map(
      ([, setting = '']) => setting,
    ),
  );
  return { stderr, files, warnings };
}

const toIreland = { CDK_DEFAULT_ACCOUNT: '123456789012', CDK_DEFAULT_REGION: 'eu-west-1' };
const toVirginia = { ...toIreland, CDK_DEFAULT_REGION: 'us-east-1' };

it.each<[string, object | string, Readonly<Record<string, string>>, RegExp]>([
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
])('%s is refused in one line, and nothing is synthesized', async (_what, settings, variables, line) => {
  const { stderr, files } = await synthesize(settings, variables);

  expect(stderr.trimEnd()).toMatch(line);
  expect(stderr.split('\n')).toHaveLength(2);
  expect(files).toEqual([]);
});

it.each<[string, object, Readonly<Record<string, string>>, readonly string[]]>([
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
])('%s is synthesized', async (_what, settings, variables, expected) => {
  const { files, warnings } = await synthesize(settings, variables);

  expect(files).toContain('WechatLogin-dev.template.json');
  expect(warnings).toEqual(expected);
});
