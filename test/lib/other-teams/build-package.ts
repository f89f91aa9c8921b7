/** Builds the package before the tests of what other teams install: its constructs carry the authorizer's bundle. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Runs what `npm run build` runs, once for all projects of a run. */
export function setup(): void {
  if (process.env.PACKAGE_BUILT_BY === String(process.pid)) return;
  process.env.PACKAGE_BUILT_BY = String(process.pid);
  execFileSync(process.execPath, ['bin/build.ts'], {
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
