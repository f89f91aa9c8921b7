/** The guide for mini-programs: its code compiles, its two languages say the same, and it names every error. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

const guide = textOf('docs/mini-program.md');
const chinese = textOf('docs/mini-program.zh.md');
const snippetsOf = (text: string): string[] =>
  [...text.matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code);

/**
 * The calls of Taro that the client makes, as `@tarojs/taro` 4.2.1 declares them. The package itself would bring 116
 * others along.
 */
const taroTypes = `
  interface CallbackResult { errMsg: string }
  declare module '@tarojs/taro' {
    interface RequestTask<T> extends Promise<{ data: T; statusCode: number; header: Record<string, unknown> }> {
      abort(): void;
    }
    interface Option<T> { success?(result: T): void; fail?(result: CallbackResult): void; complete?(result: CallbackResult): void }
    const Taro: {
      login(option?: Option<{ code: string; errMsg: string }> & { timeout?: number }): Promise<{ code: string }>;
      request<T = unknown, U extends object | string = object | string>(
        option: Option<{ data: T; statusCode: number; header: Record<string, unknown> }> & {
          url: string; data?: U; header?: Record<string, unknown>; timeout?: number; method?: string; redirect?: 'follow' | 'manual' | 'error';
        },
      ): RequestTask<T>;
      getStorageSync<T = unknown>(key: string): T;
      setStorageSync(key: string, data: unknown): void;
      onAppShow(callback: (result: CallbackResult) => void): void;
      getLaunchOptionsSync(): { path: string; scene: number };
    };
    export default Taro;
  }
`;

/** What the compiler says of snippets, each a module of its own. */
function compile(snippets: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'snippets-'));
  try {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const names = snippets.map((code, index) => {
      writeFileSync(join(folder, `${index}.ts`), code);
      return `${index}.ts`;
    });
    writeFileSync(join(folder, 'taro.d.ts'), taroTypes);
    const compilerOptions = {
      strict: true,
      noEmit: true,
      target: 'es2022',
      lib: ['es2022', 'dom'],
      module: 'esnext',
      moduleResolution: 'bundler',
      types: ['miniprogram-api-typings', '@dcloudio/types'],
      skipLibCheck: true,
      allowImportingTsExtensions: true,
      paths: { 'wechat-login-client': [join(root, 'packages/mini-program/src/index.ts')] },
    };
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: [...names, 'taro.d.ts'] }),
    );
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    return execFileSync(process.execPath, [tsc, '--project', folder], { encoding: 'utf8' });
  } catch (error) {
    return String(Reflect.get(Object(error), 'stdout') ?? error);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('the code', () => {
  it('compiles for native mini-programs, for uni-app with its own types, and for Taro', () => {
    expect(snippetsOf(guide)).toHaveLength(3);
    expect(compile(snippetsOf(guide))).toBe('');
  });

  it('would not compile with a mistake in it', () => {
    const wrong = snippetsOf(guide).map((code) =>
      code.replace(/platform: (taro|onUni)\(\w+\)/, 'platform: $1({})'),
    );
    expect(compile(wrong).match(/error TS/g)).toHaveLength(2);
  });

  it('of the README is the code for native mini-programs', () => {
    const [, shown = ''] = /```js\n(.*?)```/s.exec(textOf('README.md')) ?? [];
    expect(shown).not.toBe('');
    expect(snippetsOf(guide)[0]?.replace('<{ orders: string[] }>', '')).toBe(shown);
  });
});

it('says the same in both languages: code, links, errors and headings', () => {
  const said = (text: string) => {
    const withoutFences = text.replaceAll(/^```.*?^```$/gms, '');
    const [, table = ''] = /\n(\| `code` \|.*?)\n\n/s.exec(text) ?? [];
    return {
      fences: [...text.matchAll(/^```\w*\n.*?^```$/gms)].map(([fence]) =>
        fence.replaceAll(/ +\/\/ .*$/gm, ''),
      ),
      // The pages link to each other, and their own headings are words.
      links: [...withoutFences.matchAll(/\]\(([^)#]+)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !target.startsWith('mini-program')),
      errors: table.split('\n').map((line) => line.split(' | ')[0]),
      headings: text.match(/^#+ /gm),
      rules: text.match(/^\d+\. /gm),
    };
  };
  expect(said(chinese)).toEqual(said(guide));
  expect(said(guide).rules).toHaveLength(16);
});

it('says what to show for every error that a call can reject with', () => {
  const types =
    textOf('packages/mini-program/src/api-types.ts') + textOf('packages/mini-program/src/login-error.ts');
  const codes = [...types.matchAll(/^ {2}\| '(\w+)'/gm)].map(([, code = '']) => code);
  expect(codes.length).toBeGreaterThan(25);
  for (const page of [guide, chinese])
    for (const code of codes) expect(page.match(/^\| `.*$/gm)?.join('\n'), code).toContain(`\`${code}\``);
});
