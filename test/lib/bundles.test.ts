import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measureStartUp } from '../../bench/start-up.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Largest size of each bundle, in KB of 1,024 bytes. */
const budgetKb = { Login: 600, Member: 300, Authorizer: 300, Rotation: 320 };

/** A complete environment whose AWS and WeChat are not there: a bundle must start all the same and fail at the first request. */
const environment = {
  PATH: process.env.PATH ?? '',
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'none',
  AWS_SECRET_ACCESS_KEY: 'none',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
  POWERTOOLS_SERVICE_NAME: 'wechat-login-dev',
  TABLE_NAME: 'users',
  TOKEN_ISSUER: 'https://login.example.com',
  TOKEN_AUDIENCE: 'wechat-login',
  WECHAT_APPIDS: 'wx0123456789abcdef',
  WECHAT_API_BASE: 'http://127.0.0.1:1',
  WECHAT_SECRETS_ARN: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:wechat',
  KEY_RING_ARN: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:keys',
  TOKEN_LIFETIME_SECONDS: '604800',
  CODE_REUSE_WINDOW_SECONDS: '60',
  SERVICE_VERSION: '0.0.0',
  CHECK_REVOCATION: 'true',
};

describe.each(Object.entries(budgetKb))('the bundle of %s', (name, budget) => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'wechat-login-bundle-'));
    copyFileSync(join(bundleOf(name), 'index.mjs'), join(folder, 'index.mjs'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const start = (env: NodeJS.ProcessEnv): string =>
    execFileSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        "const { handler } = await import('./index.mjs'); console.log(typeof handler)",
      ],
      { cwd: folder, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    );

  it('starts alone in an empty folder, on the runtime of the deployed function', () => {
    expect(process.versions.node).toMatch(/^24\./);
    expect(start(environment).trim().split('\n').at(-1)).toBe('function');
  });

  it('refuses to start without its variables, naming one', () => {
    const { TABLE_NAME: _, ...incomplete } = environment;

    expect(() => start(incomplete)).toThrow('TABLE_NAME is missing');
  });

  it('is one file within its budget', () => {
    expect(readdirSync(bundleOf(name))).toEqual(['index.mjs']);
    expect(statSync(join(folder, 'index.mjs')).size / 1024).toBeLessThan(budget);
  });
});

it('starts in a time that the bench measures, bundle by bundle', async () => {
  assembly ??= synthesizeWithBundles();

  const measurements = await measureStartUp(assembly, { starts: 1 });

  expect(measurements.map(({ row }) => row)).toEqual(['an empty module', ...Object.keys(budgetKb)]);
  for (const { p50, timesFloor, sizeKb } of measurements)
    for (const number of [p50, timesFloor, sizeKb]) expect(number).toBeGreaterThan(0);
});

let assembly: string | undefined;
afterAll(() => {
  if (assembly !== undefined) rmSync(assembly, { recursive: true });
});

/** Directory of a function's asset in an assembly that is synthesized once. */
function bundleOf(name: string): string {
  assembly ??= synthesizeWithBundles();
  const template = JSON.parse(readFileSync(join(assembly, 'WechatLogin-dev.template.json'), 'utf8'));
  const functions = Object.entries<{ Properties: { Code: { S3Key: string } } }>(template.Resources);
  const found = functions.find(([id]) => id.startsWith(`${name}Function`));
  return join(assembly, `asset.${found?.[1].Properties.Code.S3Key.replace('.zip', '')}`);
}

function synthesizeWithBundles(): string {
  const directory = mkdtempSync(join(tmpdir(), 'wechat-login-assembly-'));
  const { context } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'));
  execFileSync(process.execPath, ['bin/app.ts'], {
    cwd: root,
    env: {
      ...process.env,
      CDK_OUTDIR: directory,
      CDK_CONTEXT_JSON: JSON.stringify(context),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return directory;
}
