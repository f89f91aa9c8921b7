/** The decisions stay short enough to be read, and stand in their index. */
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const folder = fileURLToPath(new URL('../../docs/decisions/', import.meta.url));
const index = readFileSync(`${folder}README.md`, 'utf8');

it.each(globSync(`${folder}0*.md`).map((file) => [basename(file), readFileSync(file, 'utf8')]))(
  'decision %s has at most 25 lines of text, and a row in the index with its date',
  (name, text) => {
    expect(text.split('\n').filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(25);
    const row = index.split('\n').find((line) => line.includes(`](${name})`));
    expect(row).toContain(`| ${/^Date: (\d{4}-\d{2}-\d{2})\. Status: /m.exec(text)?.[1]} |`);
  },
);
