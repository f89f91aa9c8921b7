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

/** Rooms from top to bottom: each may import itself and what stands below it. */
const rows = [
  ['index.ts'],
  ['stack.ts'],
  ['account.ts', 'api-gateway', 'dynamodb', 'secrets-manager'],
  ['lambda'],
  ['iam'],
  ['template'],
  ['errors.ts', 'json.ts', 'loopback-server.ts', 'temporary-directory.ts'],
];
const roomOf = (file: string): string => file.split('/')[1] ?? '';
const rowOf = (file: string): number => rows.findIndex((row) => row.includes(roomOf(file)));
const sources = [...imports].filter(([file]) => file.startsWith('src/'));
const sourcesOf = (file: string): readonly string[] =>
  (imports.get(file) ?? []).filter((target) => target.startsWith('src/'));

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

  test('has rooms that import only what stands below them', () => {
    for (const [file] of sources) {
      expect(rowOf(file), file).not.toBe(-1);
      for (const target of sourcesOf(file))
        expect(
          roomOf(target) === roomOf(file) || rowOf(target) > rowOf(file),
          `${file} imports ${target}`,
        ).toBe(true);
    }
  });

  test('has no circle of imports', () => {
    const reaches = (from: string, wanted: string, seen = new Set<string>()): boolean =>
      sourcesOf(from).some((target) => {
        if (target === wanted) return true;
        if (seen.has(target)) return false;
        seen.add(target);
        return reaches(target, wanted, seen);
      });
    for (const [file] of sources) expect(reaches(file, file), `${file} imports itself`).toBe(false);
  });
});
