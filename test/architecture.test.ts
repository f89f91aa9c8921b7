import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Files of ours and the files of ours that they import, as paths from the repository's root. */
const imports = new Map(
  globSync('{bin,lib,functions,local}/**/*.ts', { cwd: root }).map((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const targets = [...text.matchAll(/(?:from|import\() ?'(\.[^']+)'/g)].map(([, target = '']) =>
      normalize(join(dirname(file), target)),
    );
    return [file, targets] as const;
  }),
);

const importsOf = (pattern: RegExp): [string, string][] =>
  [...imports].flatMap(([file, targets]) =>
    pattern.test(file) ? targets.map((target): [string, string] => [file, target]) : [],
  );

/** What stands once and is read by stack and functions alike: data, types and rules, nothing that calls anything. */
const contracts = [
  'functions/contracts/environment.ts',
  'functions/contracts/errors.ts',
  'functions/contracts/routes.ts',
  'functions/contracts/secure-url.ts',
  'functions/contracts/metrics.ts',
  'functions/contracts/token.ts',
  'functions/contracts/key-schedule.ts',
  'functions/contracts/table.ts',
];

describe('imports go one way', () => {
  it('finds the files at all', () => {
    expect(imports.size).toBeGreaterThan(50);
  });

  it('functions know nothing of the stack, the local run or the entry points', () => {
    for (const [file, target] of importsOf(/^functions\//)) {
      expect(target, file).toMatch(/^functions\//);
    }
  });

  it('no domain imports a Lambda entry', () => {
    for (const [file, target] of importsOf(/^functions\/.+\//)) {
      expect(
        target === 'functions/contracts/environment.ts' || target.split('/').length > 2,
        `${file} → ${target}`,
      ).toBe(true);
    }
  });

  it('the stack knows functions as bundles and contracts only', () => {
    for (const [file, target] of importsOf(/^lib\//)) {
      expect(
        target.startsWith('lib/') || target === 'package.json' || contracts.includes(target),
        `${file} → ${target}`,
      ).toBe(true);
    }
  });

  it('the local run knows the template and the bundles only', () => {
    for (const [file, target] of importsOf(/^local\//)) expect(target, file).toMatch(/^local\//);
  });
});

describe('files', () => {
  it('open with a sentence that says why they exist', () => {
    for (const file of imports.keys()) {
      expect(readFileSync(join(root, file), 'utf8'), file).toMatch(/^\/\*\*/);
    }
  });

  it('are in no folder that could hold anything', () => {
    for (const file of imports.keys()) expect(file).not.toMatch(/(^|\/)(utils?|common|helpers?|shared)\//);
  });
});
