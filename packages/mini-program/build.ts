/** `npm run build`: makes `miniprogram_dist/` and `dist/`, which is what the package holds. */
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleAsModule, bundleForMiniPrograms } from './bundle.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));

const write = (path: string, text: string): void => {
  const file = join(folder, path);
  rmSync(dirname(file), { recursive: true, force: true });
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
};
write('miniprogram_dist/index.js', await bundleForMiniPrograms());
write('dist/index.js', await bundleAsModule());
execFileSync(process.execPath, [join(typescript, 'bin/tsc'), '--project', folder], { stdio: 'inherit' });
for (const path of globSync('dist/**/*.d.ts', { cwd: folder })) {
  const file = join(folder, path);
  // Compilers before TypeScript 5 do not read imports that end with .ts.
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/(from '\.{1,2}\/[a-z/.-]+)\.ts'/g, "$1.js'"));
}
