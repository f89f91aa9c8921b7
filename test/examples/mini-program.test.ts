/** The example mini-program holds together: what one file names, another has; the template compiler takes every page. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TmplGroup } from 'glass-easel-template-compiler';
import { describe, expect, it } from 'vitest';
import { modulesOf, readPreparedExample, startApp } from './host/app.ts';
import { createWx } from './host/wx.ts';

const files = await readPreparedExample();
const textOf = (path: string): string => files[path] ?? '';
const wxmlPaths = Object.keys(files).filter((path) => path.endsWith('.wxml'));
const { pages, usingComponents, tabBar } = JSON.parse(textOf('app.json'));

const nobody = () =>
  createWx({ login: () => Promise.reject(new Error('no')), answer: () => Promise.reject(new Error('no')) });

/** What the WXML of a page or component names as its event handlers. */
const handlersIn = (wxml: string): string[] =>
  [...wxml.matchAll(/\b(?:bind|catch):?[a-z]+="([^"]+)"/g)].map(([, handler = '']) => handler);

/** What a tag of a page has, by tag. */
const tagsIn = (wxml: string, name: string): string[] =>
  wxml.match(new RegExp(`<${name}\\b[^>]*>`, 'g')) ?? [];

describe('the project file', () => {
  const project = JSON.parse(
    readFileSync(
      fileURLToPath(new URL('../../examples/mini-program/project.config.json', import.meta.url)),
      'utf8',
    ),
  );

  it('opens without an AppID and calls services that are on no list', () => {
    expect(project).toMatchObject({
      appid: 'touristappid',
      compileType: 'miniprogram',
      miniprogramRoot: 'miniprogram/',
      setting: { urlCheck: false },
    });
  });
});

describe('every page', () => {
  it.each<string>(pages)('has its four files: %s', (page) => {
    for (const extension of ['js', 'json', 'wxml', 'wxss'])
      expect(files).toHaveProperty([`${page}.${extension}`]);
  });

  it('is a tab, and every tab is a page', () => {
    expect(tabBar.list.map(({ pagePath }: { pagePath: string }) => pagePath)).toEqual(pages);
  });

  it('and every component that is named exists, and is used', () => {
    const configs = Object.entries(files).filter(([path]) => path.endsWith('.json'));
    const named = configs.flatMap(([, text]) =>
      Object.entries<string>(JSON.parse(text).usingComponents ?? {}),
    );
    expect(named.length).toBeGreaterThan(Object.keys(usingComponents).length);
    for (const [tag, path] of named) {
      for (const extension of ['js', 'json', 'wxml'])
        expect(files).toHaveProperty([`${path.slice(1)}.${extension}`]);
      expect(
        wxmlPaths.some((wxml) => tagsIn(textOf(wxml), tag).length > 0),
        tag,
      ).toBe(true);
    }
  });
});

describe.each(wxmlPaths)('%s', (path) => {
  const wxml = textOf(path);

  it('is taken by the template compiler without a remark', () => {
    const group = new TmplGroup();
    expect(group.addTmpl(path, wxml)).toEqual([]);
    group.free();
  });

  it('names handlers that exist', async () => {
    const shown = startApp(files, nobody()).open(path.replace('.wxml', ''));
    expect(handlersIn(wxml).length).toBeGreaterThan(0);
    for (const handler of handlersIn(wxml))
      await shown
        .fire(handler, { value: {} })
        .catch((error: Error) => expect(error.message).not.toMatch(/has no/));
  });

  it('uses only capabilities of buttons that WeChat has', () => {
    const types = [...wxml.matchAll(/open-type="([^"]+)"/g)].map(([, type]) => type);
    for (const type of types)
      expect(['chooseAvatar', 'getPhoneNumber', 'agreePrivacyAuthorization']).toContain(type);
  });

  it('can be heard: buttons have words, fields and pictures a label', () => {
    for (const [, attributes = '', content = ''] of wxml.matchAll(/<button\b([^>]*)>(.*?)<\/button>/gs))
      expect(attributes.includes('aria-label') || /\{\{/.test(content), attributes).toBe(true);
    for (const tag of tagsIn(wxml, 'input')) expect(tag).toContain('aria-label');
    for (const tag of wxml.match(/<view [^>]*bindtap[^>]*>/g) ?? []) expect(tag).toContain('aria-role');
  });
});

it('the template compiler remarks on a page that is wrong', () => {
  const group = new TmplGroup();
  expect(group.addTmpl('page', '<view wx:if="{{a">')).not.toEqual([]);
  group.free();
});

describe('texts', () => {
  const source = readFileSync(
    fileURLToPath(new URL('../../examples/mini-program/miniprogram/texts.ts', import.meta.url)),
    'utf8',
  );
  const names = [...new Set([...source.matchAll(/^ {2}(\w+):/gm)].map(([, name = '']) => name))];
  const used = Object.entries({ ...modulesOf(files), ...files })
    .filter(([path]) => !/^(texts|miniprogram_npm)/.test(path))
    .map(([, text]) => text)
    .join('\n');

  it('are all used, and all that is used exists', () => {
    expect(names.length).toBeGreaterThan(50);
    expect(
      names.filter((name) => !new RegExp(`\\bt\\.${name}\\b|texts\\)\\(\\)\\.${name}\\b`).test(used)),
    ).toEqual([]);
    const asked = [...used.matchAll(/\bt\.(\w+)/g)].map(([, name = '']) => name);
    expect(asked.filter((name) => !names.includes(name))).toEqual([]);
  });

  it('stand in no page: pages name them', () => {
    for (const path of wxmlPaths)
      expect(textOf(path).replaceAll(/\{\{.*?\}\}/g, ''), path).not.toMatch(/[\u4e00-\u9fff]/);
  });

  it('do not use the words or the mark of WeChat', () => {
    expect(source).not.toMatch(/微信|WeChat|wechat/i);
  });
});
