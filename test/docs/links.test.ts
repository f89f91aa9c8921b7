/** Documentation names commands, files and settings that exist: a reader who follows a page never ends in nothing. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };

const root = fileURLToPath(new URL('../..', import.meta.url));
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

const pages = globSync('{*.md,.github/**/*.md,docs/**/*.md,examples/**/*.md,packages/*/*.md}', {
  cwd: root,
  exclude: (name) => name === 'node_modules' || name === 'pages',
});

const withoutCode = (text: string): string => text.replaceAll(/^ *```.*?^ *```$/gms, '');

/** Where inline links, pictures and reference definitions of a page lead. */
const targetsOf = (text: string): string[] =>
  [...withoutCode(text).matchAll(/\]\(\s*([^)\s]+)\s*\)|^\[[^\]]+\]: (\S+)$/gm)].map(
    ([, inline, reference]) => inline ?? reference ?? '',
  );

/** The anchors of a page's headings, as Markdown viewers make them. */
const anchorsOf = (text: string): Set<string> =>
  new Set(
    [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );

const npmScriptsIn = (text: string): Set<string> =>
  new Set(
    [...text.matchAll(/\bnpm run (?:-s |--silent )?([a-z][a-z0-9:-]*)/g)].map(([, script = '']) => script),
  );

/** Files that a page names in backticks, from the repository's root; patterns and folders of AWS are none. */
const filesIn = (text: string): string[] =>
  [
    ...text.matchAll(/`((?:bench|bin|docs|examples|functions|lib|local|packages|test|testing)\/[\w./-]*)`/g),
  ].map(([, file = '']) => file);

describe('the documentation', () => {
  it('is found', () => {
    expect(pages).toEqual(expect.arrayContaining(['README.md', 'README.zh.md', 'docs/operations.md']));
    expect(pages.length).toBeGreaterThan(20);
  });

  it.each(pages)('links only to files and headings that exist: %s', (page) => {
    for (const target of targetsOf(textOf(page))) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      expect(existsSync(join(root, file)), `${page} links to ${target}`).toBe(true);
      if (anchor !== undefined)
        expect(anchorsOf(textOf(file)), `${page} links to ${target}`).toContain(anchor);
    }
  });

  it.each(pages)('names only npm scripts and files that exist: %s', (page) => {
    const text = textOf(page);
    const scripts = Object.keys(packageJson.scripts);

    for (const script of npmScriptsIn(text)) expect(scripts, page).toContain(script);
    if (page.startsWith('examples/') || page.startsWith('packages/')) return;
    for (const file of filesIn(text))
      expect(existsSync(join(root, file)), `${page} names ${file}`).toBe(true);
  });

  it('has a line for each decision in the index, with the status that stands in the decision', () => {
    const index = textOf('docs/decisions/README.md');
    const decisions = globSync('docs/decisions/0*.md', { cwd: root });

    expect(decisions.length).toBeGreaterThan(15);
    for (const file of decisions) {
      const name = file.replace('docs/decisions/', '');
      const [, date, status] = /^Date: (\d{4}-\d\d-\d\d)\. Status: (.+)\.$/m.exec(textOf(file)) ?? [];
      const [, title] = /^# \d{4}: (.+)$/m.exec(textOf(file)) ?? [];
      expect(index, name).toContain(`| [${name.slice(0, 4)}](${name}) | ${title} | ${date} | ${status} |`);
    }
  });

  it('shows in the README only code that the page for other teams has, which is compiled in a test', () => {
    const page = textOf('docs/other-teams.md');
    const fences = [...textOf('README.md').matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code);

    expect(fences.length).toBeGreaterThan(0);
    for (const line of fences.flatMap((code) => code.split('\n'))) expect(page).toContain(line);
  });

  const otherWords = /\bverdict|\binquir|alarms? (that )?(ring|rang|go(es)? off)/i;

  it.each(pages.filter((page) => page !== 'docs/words.md'))('uses the words of docs/words.md: %s', (page) => {
    expect(textOf(page)).not.toMatch(otherWords);
  });

  it('shares its words with the code', () => {
    for (const file of globSync('{bin,functions,lib,local,testing,packages/*/src}/**/*.ts', { cwd: root }))
      expect(textOf(file), file).not.toMatch(otherWords);
  });

  it('says the same in both languages: commands, files, links, addresses and settings', () => {
    const said = (file: string) => {
      // Each links to the guide in its own language.
      const text = textOf(file).replaceAll('.zh.md', '.md');
      const code = [...withoutCode(text).matchAll(/`([^`]+)`/g)].map(([, inline]) => inline);
      const fences = [...text.matchAll(/^ *```(\w+)\n(.*?)^ *```$/gms)].map(
        // Comments are words, and words are translated.
        ([, language, body = '']) => `${language}: ${body.replaceAll(/ +(\/\/|#) .*$/gm, '')}`,
      );
      const links = targetsOf(text).filter((target) => !target.startsWith('README'));
      return { code: new Set(code), fences, links, headings: text.match(/^#+ /gm) };
    };

    expect(said('README.zh.md')).toEqual(said('README.md'));
  });
});

describe('the tools', () => {
  it('give editors and version managers the Node that the scripts run on', () => {
    expect(textOf('.node-version').trim()).toBe(packageJson.devDependencies.node);
  });

  it('lock packages by version and hash, and by no address', () => {
    for (const file of globSync('{,docs/api/}package-lock.json', { cwd: root }))
      expect(textOf(file)).not.toMatch(/"resolved": "[a-z+]+:/);
  });
});
