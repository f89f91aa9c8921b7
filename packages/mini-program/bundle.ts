/** The two bundles that the package ships, made in memory; old base libraries and bundlers read ES2015 only. */
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';

const folder = fileURLToPath(new URL('.', import.meta.url));

const options: BuildOptions = {
  absWorkingDir: folder,
  bundle: true,
  target: 'es2015',
  platform: 'neutral',
  charset: 'utf8',
  write: false,
};

const commonJsEntry = `
import { LoginError, createLoginClient, taro, uni, web, wechat } from './src/index.ts';
Object.assign(commonJs, { LoginError, createLoginClient, taro, uni, web, wechat });
`;

/** For native mini-programs, whose developer tools copy it as it is. */
export const bundleForMiniPrograms = (): Promise<string> =>
  bundle({
    // By hand, because esbuild's own way of making CommonJS is half a kilobyte of code.
    stdin: { contents: commonJsEntry, resolveDir: folder },
    format: 'esm',
    banner: { js: '"use strict";var commonJs=exports;' },
    minify: true,
  });

/** For uni-app, Taro and browsers, whose bundlers minify. */
export const bundleAsModule = (): Promise<string> => bundle({ entryPoints: ['src/index.ts'], format: 'esm' });

async function bundle(form: BuildOptions): Promise<string> {
  const { outputFiles } = await build({ ...options, ...form });
  return outputFiles?.[0]?.text ?? '';
}
