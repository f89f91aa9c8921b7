/**
 * `npm run prepare-example`: makes the example mini-program ready to open. The developer tools find JavaScript beside
 * each TypeScript file, and the client where their own 构建 npm would have put it.
 */
import { cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { bundleForMiniPrograms } from '../packages/mini-program/bundle.ts';
import { defineCommand, print, runIfMain } from './command/command.ts';

const example = fileURLToPath(new URL('../examples/mini-program', import.meta.url));

/** Makes it ready in its folder, or a copy of it elsewhere. */
export async function prepareExample(folder = example): Promise<void> {
  if (folder !== example) cpSync(example, folder, { recursive: true });
  const app = join(folder, 'miniprogram');
  for (const file of globSync('**/*.ts', { cwd: app })) {
    const source = readFileSync(join(app, file), 'utf8');
    const { code } = await transform(source, {
      loader: 'ts',
      format: 'cjs',
      target: 'es2015',
      charset: 'utf8',
    });
    writeFileSync(join(app, `${file.slice(0, -extname(file).length)}.js`), code);
  }
  const client = join(app, 'miniprogram_npm/wechat-login-client/index.js');
  mkdirSync(dirname(client), { recursive: true });
  writeFileSync(client, await bundleForMiniPrograms());
}

export const run = defineCommand({
  usage: 'Usage: npm run prepare-example',
  options: {},
  body: async (_given, { stdout }) => {
    await prepareExample();
    print(stdout, `Ready. In WeChat's developer tools, import the project ${example}`);
    return 0;
  },
});

await runIfMain(import.meta, run);
