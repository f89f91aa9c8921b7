/**
 * Apps as other teams have them, each of which installs the packed package and runs its own commands, on each version
 * of Node that CDK apps run on: the newest, and one that cannot `require` an ES module.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packPackage, root } from '../fixtures/installed-package.ts';

const nodeVersions = ['20.18.3', '22.23.3', '24.21.0'];

const folder = mkdtempSync(join(tmpdir(), 'apps-'));
const tarball = join(folder, 'wechat-login.tgz');

beforeAll(() => {
  execFileSync(process.execPath, ['bin/build.ts'], { cwd: root });
  renameSync(join(folder, packPackage(folder)), tarball);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a command in an app without what this run's own npm has put into the environment; says all it printed. */
function runIn(app: string, command: string, args: readonly string[]): string {
  const { HOME, PATH = '' } = process.env;
  const path = PATH.split(':').filter((entry) => !entry.startsWith(root));
  const env = { HOME, PATH: path.join(':'), CDK_VALIDATION: 'false' };
  try {
    return execFileSync(command, args, {
      cwd: app,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}\n${stderr}`);
  }
}

describe.each(['cdk-init', 'commonjs', 'nodenext', 'node-test'])('the app %s', (name) => {
  const app = join(folder, name);
  beforeAll(() => {
    cpSync(join(root, 'test/attach/fixtures', name), app, { recursive: true });
    cpSync(tarball, join(app, 'wechat-login.tgz'));
    runIn(app, 'npm', ['install', '--no-audit', '--no-fund']);
  });

  it.each(nodeVersions)('installs the package and passes its own commands on Node %s', (version) => {
    const onNode = ['--yes', '--package', `node@${version}`, '--'];
    expect(runIn(app, 'npx', [...onNode, 'node', '--version']).trim()).toBe(`v${version}`);

    runIn(app, 'npx', [...onNode, 'npm', 'run', 'attach']);
  });
});

describe('the package', () => {
  it('is resolved alike by every kind of import, with types, as publint and arethetypeswrong see it', () => {
    const app = join(folder, 'package-checks');
    cpSync(join(root, 'test/attach/fixtures/package-checks'), app, { recursive: true });
    cpSync(tarball, join(app, 'wechat-login.tgz'));
    runIn(app, 'npm', ['install', '--no-audit', '--no-fund']);

    const printed = runIn(app, 'npm', ['run', 'attach']);

    expect(printed).toContain('No problems found');
    // What npm would change before it publishes would not be what was tested.
    expect(printed).not.toContain('auto-corrected');
  });
});
