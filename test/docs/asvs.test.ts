/** The table of the security standard has every requirement of its chapters, and a test behind each claim. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(`${root}/SECURITY.md`, 'utf8');

/** How many requirements each section of ASVS 5.0 has: https://github.com/OWASP/ASVS/tree/v5.0.0/5.0/en */
const sections = {
  '7.1': 3,
  '7.2': 4,
  '7.3': 2,
  '7.4': 5,
  '7.5': 3,
  '7.6': 2,
  '9.1': 3,
  '9.2': 4,
  '10.1': 2,
  '10.2': 3,
  '10.3': 5,
  '10.4': 16,
  '10.5': 5,
  '10.6': 2,
  '10.7': 3,
};

const rows = [...page.matchAll(/^\| ((?:\d+\.\d+\.\d+(?:, )?)+) \| ([^|]+) \| (.+) \|$/gm)].map(
  ([, ids = '', status = '', how = '']) => ({ ids: ids.split(', '), status, how }),
);

it('has each requirement of V7, V9 and V10 once', () => {
  const wanted = Object.entries(sections).flatMap(([section, count]) =>
    Array.from({ length: count }, (_, index) => `${section}.${index + 1}`),
  );

  expect(rows.flatMap(({ ids }) => ids)).toEqual(wanted);
});

it('says of each what is so, and names a test where it is met', () => {
  for (const { ids, status, how } of rows) {
    expect(['met', 'not met by choice', 'not applicable'], ids.join()).toContain(status);
    const files = [...how.matchAll(/`(test\/[^`]+\.test\.ts)`/g)].map(([, file = '']) => file);
    if (status === 'met') expect(files, ids.join()).not.toEqual([]);
    for (const file of files) expect(existsSync(`${root}/${file}`), file).toBe(true);
  }
});
