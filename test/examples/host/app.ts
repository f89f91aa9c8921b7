/** The example mini-program in a context that holds ECMAScript and `wx` alone, as the tools would run it. */
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContext, Script } from 'node:vm';
import { prepareExample } from '../../../bin/prepare-example.ts';
import { createLoader, type Evaluate } from './modules.ts';
import type { FakeWx } from './wx.ts';

/** The prepared example: every text file by its path within `miniprogramRoot`. */
export type Files = Readonly<Record<string, string>>;

/** What `npm run prepare-example` makes, made elsewhere. */
export async function readPreparedExample(): Promise<Files> {
  const folder = mkdtempSync(join(tmpdir(), 'mini-program-'));
  try {
    await prepareExample(folder);
    const root = join(folder, 'miniprogram');
    const paths = globSync('**/*.{js,json,wxml,wxss}', { cwd: root });
    return Object.fromEntries(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The modules among them, by path without `.js`. */
export const modulesOf = (files: Files): Record<string, string> =>
  Object.fromEntries(
    Object.entries(files).flatMap(([path, text]) =>
      path.endsWith('.js') ? [[path.slice(0, -3), text]] : [],
    ),
  );

/** A page or component that is shown. */
export interface Shown {
  readonly data: Readonly<Record<string, unknown>>;
  /** Calls a handler that the WXML names; resolves when what it answers does. */
  fire(handler: string, detail?: unknown): Promise<void>;
}

type Definition = Record<string, unknown>;

/** Starts the app; each page is loaded when it is first opened, and shown again from then on. */
export function startApp(files: Files, wx: FakeWx) {
  const context = createContext({});
  const evaluate: Evaluate = (source, filename, scope) => {
    const names = Object.keys(scope);
    const script = new Script(`(function (${names.join(', ')}) {${source}\n})`, { filename });
    script.runInContext(context)(...Object.values(scope));
  };
  let defined: Definition = {};
  const define = (definition: Definition) => {
    defined = definition;
  };
  const globals = { wx: wx.api, App: define, Page: define, Component: define };
  const load = createLoader(modulesOf(files), globals, evaluate);
  load('app');

  const opened = new Map<string, Definition>();
  /** An instance of what a file defines. */
  const create = (path: string): Definition => {
    load(path);
    const { methods, lifetimes, ...rest } = defined;
    const instance: Definition = { ...rest, ...(methods as Definition), data: copy(defined.data ?? {}) };
    instance.setData = (changes: Record<string, unknown>) =>
      Object.assign(Object(instance.data), copy(changes));
    const { attached } = (lifetimes ?? {}) as Record<string, unknown>;
    if (typeof attached === 'function') attached.call(instance);
    opened.set(path, instance);
    return instance;
  };
  return {
    /** Shows a page, as a tap on its tab would. */
    open(path: string): Shown {
      const instance = opened.get(path) ?? create(path);
      if (typeof instance.onShow === 'function') instance.onShow();
      return {
        get data() {
          return Object(instance.data);
        },
        async fire(handler, detail = {}) {
          const method = instance[handler];
          if (typeof method !== 'function') throw new Error(`${path} has no ${handler}`);
          await method.call(instance, { detail });
        },
      };
    },
  };
}

/** As data reaches the view: JSON, and nothing undefined. */
function copy(data: unknown): Record<string, unknown> {
  const text = JSON.stringify(data, (key, value) => {
    if (value === undefined) throw new Error(`setData: ${key} is undefined`);
    return value;
  });
  return JSON.parse(text);
}
