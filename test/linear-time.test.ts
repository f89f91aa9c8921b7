/**
 * What anybody may send costs time in proportion to its length, at most.
 *
 * Measured by counting and not by the clock: a checker counts, for each regular expression of the functions, in how
 * many ways at most it can go back over an input of any length. What is no regular expression is linear by how it is
 * built: bodies, tokens and headers are taken apart with `split`, `trim`, `JSON.parse` and `URLSearchParams`, each of
 * which goes over its input once, and nothing looks for one input inside of another.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isSafe } from 'redos-detector';
import { expect, it } from 'vitest';
import { parseAst } from 'vitest/node';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The same for 1 KB and for 10 KB; what grows with the input has no such bound. */
const MOST_WAYS_BACK = 10;

const sources = globSync('functions/**/*.ts', { cwd: root, exclude: ['**/*.d.ts'] }).map((file) => ({
  file,
  source: readFileSync(join(root, file), 'utf8'),
}));

/** Every value in a syntax tree, itself included. */
function* nodesOf(value: unknown): Generator<object> {
  if (typeof value !== 'object' || value === null) return;
  yield value;
  if (value instanceof RegExp) return;
  for (const part of Object.values(value)) yield* nodesOf(part);
}

function regularExpressionsOf(source: string): RegExp[] {
  const nodes = [...nodesOf(parseAst(source, { lang: 'ts' }))];
  return nodes.flatMap((node) =>
    'regex' in node && 'value' in node && node.value instanceof RegExp ? [node.value] : [],
  );
}

/** The expressions that can go back over their input without a bound, or cannot be checked. */
function superlinear(source: string): string[] {
  return regularExpressionsOf(source)
    .filter((expression) => !isSafe(expression, { maxScore: MOST_WAYS_BACK }).safe)
    .map(String);
}

it('no regular expression of the functions goes back over its input more often for a longer one', () => {
  const found = sources.flatMap(({ file, source }) =>
    superlinear(source).map((expression) => `${file}: ${expression}`),
  );

  expect(found).toEqual([]);
});

it('no regular expression of the functions is put together where it cannot be checked', () => {
  const found = sources.filter(({ source }) => /\bRegExp\(/.test(source));

  expect(found.map(({ file }) => file)).toEqual([]);
});

it('the check finds every regular expression, and those that go back without a bound', () => {
  const source =
    'const x: string = y.split(/\\s*;\\s*/) ?? /\\/+$/.exec(z) ?? (/^(?:a+)+$/u.test(z), /^a+$/i);';

  expect(regularExpressionsOf(source)).toHaveLength(4);
  expect(superlinear(source)).toEqual(['/\\s*;\\s*/', '/\\/+$/', '/^(?:a+)+$/u']);
  expect(sources.flatMap(({ source }) => regularExpressionsOf(source)).length).toBeGreaterThan(8);
});
