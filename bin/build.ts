/** `npm run build`: makes `dist/`, which is what the package of other teams holds. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../lib/compute/bundle.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));

rmSync(join(root, 'dist'), { recursive: true, force: true });
const remoteAuthorizer = join(root, 'dist/remote-authorizer');
mkdirSync(remoteAuthorizer, { recursive: true });
bundle('remote-authorizer', remoteAuthorizer);
execFileSync(process.execPath, [join(typescript, 'bin/tsc'), '--project', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
