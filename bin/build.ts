/** `npm run build`: makes `dist/`, which is what the package of other teams holds. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleOptions } from '../lib/compute/bundle-options.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
const { banner, ...options } = bundleOptions;

rmSync(join(root, 'dist'), { recursive: true, force: true });
await build({
  ...options,
  format: 'esm',
  charset: 'utf8',
  banner: { js: banner },
  platform: 'node',
  bundle: true,
  entryPoints: [join(root, 'functions/remote-authorizer.ts')],
  outfile: join(root, 'dist/remote-authorizer/index.mjs'),
});
execFileSync(process.execPath, [join(typescript, 'bin/tsc'), '--project', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
