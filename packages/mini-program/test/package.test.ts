import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'acorn';
import { analyze } from 'eslint-scope';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const require = createRequire(import.meta.url);
const folder = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string): string => readFileSync(join(folder, file), 'utf8');

/** Bytes. */
const LIMIT = 9 * 1024;

/** All that the file may expect of its surroundings: ECMAScript 2015, the module wrapper and `wx`. */
const GLOBALS = [
  'Date',
  'Error',
  'JSON',
  'Map',
  'Math',
  'Number',
  'Object',
  'Promise',
  'Set',
  'String',
  'TypeError',
  'WeakMap',
  'encodeURIComponent',
  'exports',
  'wx',
];

/** Names that a file uses and does not declare. @throws SyntaxError above ES2015. */
function globalsOf(code: string, sourceType: 'script' | 'module'): string[] {
  const tree = parse(code, { ecmaVersion: 2015, sourceType, ranges: true, locations: true });
  // Both speak ESTree; only their types differ.
  const program = tree as unknown as Parameters<typeof analyze>[0];
  const { globalScope } = analyze(program, { ecmaVersion: 6, sourceType });
  const names = globalScope?.through.map(({ identifier }) => String(Reflect.get(identifier, 'name')));
  return [...new Set(names)].sort();
}

beforeAll(() => {
  execFileSync(process.execPath, ['build.ts'], { cwd: folder, stdio: 'inherit' });
});

describe('the file for native mini-programs', () => {
  it('has no syntax above ES2015, and uses no global that mini-programs lack', () => {
    const used = globalsOf(read('miniprogram_dist/index.js'), 'script');
    console.info(`Globals used: ${used.join(', ')}`);
    expect(used.filter((name) => !GLOBALS.includes(name))).toEqual([]);
  });

  it('has at most 9 KB', () => {
    const size = Buffer.byteLength(read('miniprogram_dist/index.js'));
    console.info(`Size: ${size} bytes of ${LIMIT}`);
    expect(size).toBeLessThanOrEqual(LIMIT);
  });

  it('exports what the ES module exports, by name', async () => {
    const exports = {};
    new Function('exports', read('miniprogram_dist/index.js'))(exports);
    const names = ['LoginError', 'createLoginClient', 'taro', 'uni', 'web', 'wechat'];
    expect(Object.keys(exports).sort()).toEqual(names);
    expect(Object.keys(await import(join(folder, 'dist/index.js'))).sort()).toEqual(names);
  });
});

it('the ES module has no syntax above ES2015 and the same globals', () => {
  const allowed = GLOBALS.filter((name) => name !== 'exports');
  const used = globalsOf(read('dist/index.js'), 'module');
  expect(used.filter((name) => !allowed.includes(name))).toEqual([]);
});

it('the scan sees what it is there for', () => {
  expect(globalsOf('var a = function (URL) { return new URL(fetch); };', 'script')).toEqual(['fetch']);
  expect(() => globalsOf('a?.b', 'script')).toThrow(SyntaxError);
  expect(() => globalsOf('async () => {}', 'script')).toThrow(SyntaxError);
});

it('publint finds nothing to say', async () => {
  const { messages, pkg } = await publint({ pkgDir: folder, strict: true, pack: 'npm' });
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
});

describe('types', () => {
  let project: string;

  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), 'client-types-'));
    for (const [name, target] of [
      ['wechat-login-client', folder],
      ['miniprogram-api-typings', dirname(require.resolve('miniprogram-api-typings/package.json'))],
    ] as const) {
      const link = join(project, 'node_modules', name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(target, link);
    }
  });
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  /** What the compiler says of an app's files: one call, because it reads all of WeChat's types each time. */
  const compile = (sources: Readonly<Record<string, string>>): string => {
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      target: 'es2020',
      lib: ['es2020'],
      module: 'esnext',
      moduleResolution: 'bundler',
      types: ['miniprogram-api-typings'],
      skipLibCheck: false,
    };
    const files = Object.keys(sources);
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    for (const [file, source] of Object.entries(sources)) writeFileSync(join(project, file), source);
    try {
      const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
      return execFileSync(process.execPath, [tsc, '--project', project], { encoding: 'utf8' });
    } catch (error) {
      return String(Reflect.get(Object(error), 'stdout'));
    }
  };

  it("fit WeChat's own: wx is a host, an app compiles, and what cannot work is refused", () => {
    const works = `
      import { createLoginClient, LoginError, type MiniProgramHost, uni, wechat } from 'wechat-login-client';
      const host: MiniProgramHost = wx;
      const client = createLoginClient({ baseUrl: 'https://login.example.com', platform: wechat(), language: 'en' });
      createLoginClient({ baseUrl: 'https://login.example.com', platform: uni(wx) });
      const task = client.request<{ items: string[] }>({ url: '/orders', data: { page: 1 } });
      task.then(({ items }) => items.length);
      task.abort();
      client.login({ profile: { nickname: '小明', sex: 1 } }).then(({ userId }) => userId.length);
      client.on('error', (error) => error.code === 'timeout');
      const stop: () => void = client.on('change', (session) => session?.userId);
      export const isLoginError = (error: unknown) => error instanceof LoginError && error.retryAfter;
      export { host, stop };
    `;
    const refused = `
      import { createLoginClient } from 'wechat-login-client';
      // @ts-expect-error A client needs to know its service.
      createLoginClient({});
      const client = createLoginClient({ baseUrl: 'https://login.example.com' });
      // @ts-expect-error wx.request knows no PATCH.
      client.request({ url: '/orders', method: 'PATCH' });
      // @ts-expect-error No such event.
      client.on('login', () => undefined);
      // @ts-expect-error The code of the button, not the number.
      client.bindPhone({ phone: '13800000000' });
      // @ts-expect-error No error has this code.
      client.on('error', (error) => error.code === 'time_out');
      // @ts-expect-error Nobody is logged in at first.
      client.session.userId;
    `;
    expect(compile({ 'works.ts': works, 'refused.ts': refused })).toBe('');
  });
});
