/** Builds the package once before the template tests: its constructs carry the authorizer's bundle. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Runs what `npm run build` runs. */
export function setup(): void {
  execFileSync(process.execPath, ['bin/build.ts'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
