import { execFile, execSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { measureStartUp } from '../../bench/bundles/start-up.ts';
import { bundle } from '../../lib/compute/bundle.ts';
import { everything, synthesize } from './synthesize.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Largest size of each bundle, in KB of 1,024 bytes. */
const budgetKb = { Login: 460, Member: 260, Account: 460, Authorizer: 260, Rotation: 280 };

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
  CONTENT_CHECK: 'off',
  ERASURE_GRACE_DAYS: '0',
  SERVICE_VERSION: '0.0.0',
  CHECK_REVOCATION: 'true',
};

describe.each(Object.entries(budgetKb))('the bundle of %s', (name, budget) => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'wechat-login-bundle-'));
    cpSync(bundleOf(name), folder, { recursive: true });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('starts alone in an empty folder, on the runtime of the deployed function, and not without its variables', () => {
    expect(process.versions.node).toMatch(/^24\./);
    const program = `delete process.env.TABLE_NAME;
      await import('./index.mjs?incomplete').catch(({ message }) => console.log(message));
      process.env.TABLE_NAME = 'users';
      console.log(typeof (await import('./index.mjs')).handler)`;

    const { stdout, stderr } = spawnNode(folder, program, environment);

    const lines = stdout.trim().split('\n');
    expect(lines[0], stderr).toContain('TABLE_NAME is missing');
    expect(lines.at(-1)).toBe('function');
  });

  it('is one file within its budget, and the map of our part of it', () => {
    expect(readdirSync(bundleOf(name))).toEqual(['index.mjs', 'index.mjs.map']);
    expect(statSync(join(folder, 'index.mjs')).size / 1024).toBeLessThan(budget);
  });
});

describe('the console of a local run', () => {
  /** What only it has: the path of its controls, and words of its page. */
  const OF_THE_CONSOLE = /_local\/|local:console|Break WeChat/;

  /** What is deployed or installed, by its path. */
  const filesIn = (folder: string): string[] =>
    globSync('**', { cwd: folder, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));

  it('is found where it is', () => {
    expect(readFileSync(join(root, 'local/console/server.ts'), 'utf8')).toMatch(OF_THE_CONSOLE);
  });

  it('is in no function that is deployed, and in nothing that other teams install', () => {
    const files = [...Object.keys(budgetKb).map(bundleOf), join(root, 'dist')].map(filesIn);

    expect(files.flat().length).toBeGreaterThan(20);
    for (const file of files.flat()) expect(readFileSync(file, 'utf8'), file).not.toMatch(OF_THE_CONSOLE);
  });

  it('is in no template', () => {
    const template = synthesize('prod', { settings: everything }).toJSON();

    expect(JSON.stringify(template)).not.toMatch(OF_THE_CONSOLE);
  });
});

/** Modules of Node's that cost a start milliseconds, and that no function needs. */
const unneeded = [
  'http2',
  'fs/promises',
  'zlib',
  'worker_threads',
  'internal/deps/undici/undici',
  'internal/webstreams/readablestream',
];

describe.each(Object.keys(budgetKb))('the start of %s', (name) => {
  it('loads none of the modules that it does not need, though AWS and WeChat answer', async () => {
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
      response.end('{"__type":"com.amazonaws#ResourceNotFoundException","message":"nothing is here"}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const program = `const { handler } = await import('./index.mjs');
      console.log(JSON.stringify([typeof handler, process.moduleLoadList]));process.exit()`;

    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      cwd: bundleOf(name),
      env: { ...environment, AWS_ENDPOINT_URL: url, WECHAT_API_BASE: url },
    });

    const [handler, loaded] = JSON.parse(stdout) as [string, string[]];
    expect(handler).toBe('function');
    expect(unneeded.filter((module) => loaded.includes(`NativeModule ${module}`))).toEqual([]);
  });
});

describe('a bundle in which something is thrown', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'wechat-login-bundle-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** The stack in the log line about an event that no kind of API sends. */
  function loggedStack(): string {
    const program = `const { handler } = await import('./index.mjs'); await handler({ type: 'none' }).catch(() => {})`;
    const { stdout } = spawnNode(folder, program, environment);
    const [line] = stdout.split('\n').filter((text) => text.includes('"stack"'));
    return (JSON.parse(line ?? '{}') as { stack?: string }).stack ?? '';
  }

  it('logs a stack that names our file and the line that throws', () => {
    cpSync(bundleOf('Authorizer'), folder, { recursive: true });

    const [frame = ''] = loggedStack().split('\n');

    const [, file = '', line] = /(functions\/[\w/-]+\.ts):(\d+):\d+\)?$/.exec(frame) ?? [];
    expect(sourceLine(file, line)).toContain('throw new Error(');
  });

  it('names them to the runtime as well, which logs what fails before there is a handler', () => {
    cpSync(bundleOf('Login'), folder, { recursive: true });

    const { stderr } = spawnNode(folder, "import './index.mjs'", { ...environment, TABLE_NAME: '' });

    const [, file = '', line] = /\n {4}at \w+ \((functions\/[\w/-]+\.ts):(\d+):\d+\)/.exec(stderr) ?? [];
    expect(sourceLine(file, line)).toContain('throw new Error(');
  });

  it('logs the stack all the same where the map is missing', () => {
    cpSync(bundleOf('Authorizer'), folder, { recursive: true });
    rmSync(join(folder, 'index.mjs.map'));

    expect(loggedStack()).toMatch(/^ {4}at .*index\.mjs:\d+:\d+/);
  });
});

it('is made of the same bytes wherever it is built, so that a commit names what is deployed', () => {
  const temporary = mkdtempSync(join(tmpdir(), 'bytes-'));
  onTestFinished(() => rmSync(temporary, { recursive: true }));
  const folder = join(temporary, 'deeper/than/an/assembly');
  mkdirSync(folder, { recursive: true });
  bundle('authorizer', folder);

  const [one = [], other = []] = [folder, bundleOf('Authorizer')].map((each) =>
    ['index.mjs', 'index.mjs.map'].map((file) => readFileSync(join(each, file), 'utf8')),
  );

  expect(one).toEqual(other);
  expect(one.join('')).not.toContain(root);
});

it("holds nothing of undici's for bodies and engines that it does not meet, and of the SDK's for endpoints", () => {
  const folder = mkdtempSync(join(tmpdir(), 'wechat-login-bundle-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));

  const inputs = Object.keys(bundle('login', folder).inputs);

  expect(
    inputs.filter((file) => /undici\/lib\/(web\/|llhttp\/llhttp-wasm)|endpoint-cache/.test(file)),
  ).toEqual([]);
  expect(
    inputs.filter((file) => /undici\/lib\/(dispatcher\/client|llhttp\/llhttp_simd-wasm)\.js/.test(file)),
  ).toHaveLength(2);
});

it('starts in a time that the bench measures, bundle by bundle', async () => {
  assembly ??= synthesizeWithBundles();

  const measurements = await measureStartUp(assembly, { starts: 1 });

  const rows = [
    'an empty module',
    'hash, https, one request',
    ...Object.keys(budgetKb),
    'Authorizer for other teams',
  ];
  expect(measurements.map(({ row }) => row)).toEqual([...rows, ...rows]);
  for (const { p50, timesFloor, sizeKb = 1 } of measurements)
    for (const number of [p50, timesFloor, sizeKb]) expect(number).toBeGreaterThan(0);
});

let assembly: string | undefined;
afterAll(() => {
  if (assembly !== undefined) rmSync(assembly, { recursive: true });
});

function spawnNode(folder: string, program: string, env: NodeJS.ProcessEnv) {
  return spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
}

function sourceLine(file: string, line: string | undefined): string | undefined {
  return readFileSync(join(root, file), 'utf8').split('\n')[Number(line) - 1];
}

/** Directory of a function's asset in an assembly that is synthesized once. */
function bundleOf(name: string): string {
  assembly ??= synthesizeWithBundles();
  const template = JSON.parse(readFileSync(join(assembly, 'WechatLogin-dev.template.json'), 'utf8'));
  const functions = Object.entries<{ Properties: { Code: { S3Key: string } } }>(template.Resources);
  const found = functions.find(([id]) => id.startsWith(`${name}Function`));
  return join(assembly, `asset.${found?.[1].Properties.Code.S3Key.replace('.zip', '')}`);
}

/**
 * Runs the app as the CDK CLI does, which names the folder. One that is installed elsewhere brings a Node of another
 * version along, so none is on the path here.
 */
function synthesizeWithBundles(): string {
  const directory = mkdtempSync(join(tmpdir(), 'wechat-login-assembly-'));
  const { app, context } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'));
  execSync(app, {
    cwd: root,
    env: {
      ...process.env,
      PATH: '',
      CDK_OUTDIR: directory,
      CDK_CONTEXT_JSON: JSON.stringify(context),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return directory;
}
