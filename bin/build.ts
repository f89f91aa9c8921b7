/** `npm run build`: makes `dist/`, which is what the package of other teams holds. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';
import { bundle } from '../lib/compute/bundle.ts';
import { defineCommand, runIfMain } from './command/command.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

async function buildPackage(): Promise<void> {
  rmSync(dist, { recursive: true, force: true });
  const remoteAuthorizer = join(dist, 'remote-authorizer');
  mkdirSync(remoteAuthorizer, { recursive: true });
  const authorizer = bundle('remote-authorizer', remoteAuthorizer);

  // CommonJS alone, because everybody can load it: `import` sees the named exports of a file that esbuild has made, while
  // jest, and Node before 20.19, cannot `require` an ES module.
  const library = await build({
    absWorkingDir: root,
    platform: 'node',
    bundle: true,
    metafile: true,
    charset: 'utf8',
    format: 'cjs',
    target: 'node20',
    define: { 'import.meta.dirname': '__dirname' },
    external: ['aws-cdk-lib', 'constructs'],
    entryPoints: {
      index: 'lib/index.ts',
      member: 'functions/caller/member-of.ts',
      testing: 'testing/index.ts',
    },
    outdir: 'dist/lib',
  });
  writeFileSync(join(dist, 'package.json'), '{"type":"commonjs"}\n');

  const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
  execFileSync(process.execPath, [join(typescript, 'bin/tsc'), '--project', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  });

  writeFileSync(join(dist, 'THIRD-PARTY-LICENSES'), licensesOf(authorizer, library.metafile));
}

/** What the licenses of the bundled packages ask for: their text, beside their code. MIT-0 asks for nothing. */
function licensesOf(...metafiles: readonly Metafile[]): string {
  const inputs = metafiles.flatMap(({ inputs }) => Object.keys(inputs));
  const folders = inputs.flatMap((path) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
  const texts = [...new Set(folders)].sort().flatMap((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    if (license === 'MIT-0') return [];
    const [file] = readdirSync(join(root, folder)).filter((entry) => /^licen[cs]e/i.test(entry));
    if (file === undefined) throw new Error(`${name} is bundled and has no license file`);
    return `${name} ${version}\n\n${readFileSync(join(root, folder, file), 'utf8').trim()}\n`;
  });
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}

export const run = defineCommand({
  usage: 'Usage: npm run build\nMakes dist/, which npm pack packs.',
  options: {},
  body: async () => {
    await buildPackage();
    return 0;
  },
});

await runIfMain(import.meta, run);
