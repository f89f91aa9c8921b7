/** The page's three files, made when somebody first opens it: `npm start` waits for nothing that nobody may look at. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'esbuild';

const folder = path.join(import.meta.dirname, 'page');
const client = path.dirname(createRequire(import.meta.url).resolve('wechat-login-client/package.json'));

export type PageFile = 'index.html' | 'page.js' | 'page.css';
type Page = Readonly<Record<PageFile, { readonly type: string; readonly text: string }>>;

let made: Promise<Page> | undefined;

/** Bundles the page, once a process. */
export function bundlePage(): Promise<Page> {
  made ??= make();
  return made;
}

async function make(): Promise<Page> {
  const [html, { outputFiles }] = await Promise.all([
    readFile(path.join(folder, 'index.html'), 'utf8'),
    build({
      entryPoints: { page: path.join(folder, 'main.ts'), style: path.join(folder, 'style.css') },
      outdir: '/',
      bundle: true,
      minify: true,
      write: false,
      target: 'es2022',
      format: 'esm',
      charset: 'utf8',
      // From its sources, so that a working copy needs no build.
      alias: { 'wechat-login-client': path.join(client, 'src/index.ts') },
    }),
  ]);
  const text = (extension: string): string =>
    outputFiles.find((file) => file.path.endsWith(extension))?.text ?? '';
  return {
    'index.html': { type: 'text/html', text: html },
    'page.js': { type: 'text/javascript', text: text('.js') },
    'page.css': { type: 'text/css', text: text('.css') },
  };
}
