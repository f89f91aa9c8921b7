import { expect, it } from 'vitest';
import { preferredLanguage } from '../../../functions/http/language.ts';

it.each([
  [undefined, 'zh'],
  ['', 'zh'],
  ['zh-CN', 'zh'],
  ['en', 'en'],
  ['EN-us,en;q=0.9', 'en'],
  ['zh-CN,zh;q=0.9,en;q=0.8', 'zh'],
  ['en;q=0.8, zh;q=0.9', 'zh'],
  ['fr, en;q=0.2', 'en'],
  ['fr, de', 'zh'],
  ['en;q=0', 'zh'],
  [' zh ; q=0.1 ,\ten\t;\tq=0.5', 'en'],
  [`en${' '.repeat(9_500)};q=0.2,zh;q=0.1`, 'en'],
  ['en;q=nonsense', 'zh'],
  ['*', 'zh'],
  [';;;,,,q=1', 'zh'],
])('Accept-Language %j reads %s', (header, language) => {
  expect(preferredLanguage(header)).toBe(language);
});
