import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What each file imports: files of this package as paths from its directory, everything else as it is written. */
const imports = new Map(
  globSync('{src,test}/**/*.ts', { cwd: root }).map((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const targets = [...text.matchAll(/^(?:import|export)[^;]*? from '([^']+)';/gm)].map(([, target = '']) =>
      target.startsWith('.') ? normalize(join(dirname(file), target)) : target,
    );
    return [file, targets] as const;
  }),
);

describe('the package', () => {
  test('imports no file from outside of it', () => {
    expect(imports.size).toBeGreaterThan(60);
    for (const [file, targets] of imports)
      for (const target of targets) expect(target, file).not.toMatch(/^\.\./);
  });

  test('declares every package that it imports', () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    for (const [file, targets] of imports) {
      const known = file.startsWith('src/') ? dependencies : { ...dependencies, ...devDependencies };
      for (const target of targets.filter((name) => !/^(node:|src\/|test\/)/.test(name)))
        expect(Object.keys(known), file).toContain(/^(@[^/]+\/)?[^/]+/.exec(target)?.[0]);
    }
  });
});
