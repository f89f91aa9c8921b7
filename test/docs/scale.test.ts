import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import {
  limits,
  ONE_LOGIN,
  reachedAt,
  scaleOf,
  scaleOfRate,
  toScaleTables,
} from '../../bench/scale-model.ts';

const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const cost = read('docs/cost.md');

/** A number that a page says. */
const said = (page: string, pattern: RegExp): number => Number(pattern.exec(page)?.[1]);

it('the page on scale has the tables of the model', () => {
  expect(read('docs/scale.md')).toContain(toScaleTables());
});

it('the model takes for a login what the page on cost says', () => {
  expect(ONE_LOGIN).toMatchObject({
    seconds: said(cost, /1 M × (0\.\d+) s × 0\.25 GB/),
    writeUnits: said(cost, /DynamoDB, writes \| 1 M × (\d\.\d+)/),
    newUserWriteUnits: said(cost, /A new user\* costs (\d+) write units/),
    readUnits: said(cost, /DynamoDB, reads \| 1 M × (0\.5)/),
    logKb: said(cost, /logs \| 1 M × (1\.\d+) KB/),
    usdAMillion: said(cost, /\*\*(7\.\d+)\*\*/),
  });
});

it('the model takes a login to compute no less than the bench has measured', () => {
  const results = read('bench/RESULTS.md');
  // WeChat is 200 ms away there, and 245 with 5 for DynamoDB in the model.
  const measuredMs = said(results, /256 MB, \d+ used, \d+\.\d+ USD a million +\d+ +\d+ +(\d+)/);

  expect(measuredMs - 205).toBeLessThanOrEqual(ONE_LOGIN.seconds * 1000 - 250);
  expect(measuredMs).toBeGreaterThan(205);
});

it('ten times the users take ten times as much, and a rate what its users take', () => {
  const [one, ten] = [scaleOf(1e7), scaleOf(1e8)];

  expect(ten.usdAMonth / one.usdAMonth).toBeCloseTo(10);
  expect(ten.peakPerSecond / one.peakPerSecond).toBeCloseTo(10);
  expect(scaleOfRate(ten.peakPerSecond, ten.loginsAMonth)).toEqual(ten);
});

it('at its limit a login takes all there is', () => {
  for (const limit of limits) {
    const { perSecond, users } = reachedAt(limit);
    expect(perSecond * limit.perLogin).toBeCloseTo(limit.most);
    expect(scaleOf(users).peakPerSecond).toBeCloseTo(perSecond);
  }
});
