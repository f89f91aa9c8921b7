import { PassThrough } from 'node:stream';
import { expect, it, vi } from 'vitest';
import { createReport, Problem, Remark } from '../../../bin/command/check.ts';
import { columns, painter } from '../../../bin/command/output.ts';

const terminal = (colours: boolean) =>
  Object.assign(new PassThrough(), { isTTY: true, getColorDepth: () => (colours ? 8 : 1) });

it('colours what a terminal shows, and nothing in a pipe or where no colour is wanted', () => {
  vi.stubEnv('FORCE_COLOR', undefined);

  expect(painter(terminal(true))('bad', 'problem')).toBe('\u001b[31mproblem\u001b[39m');
  expect(painter(terminal(false))('bad', 'problem')).toBe('problem');
  vi.stubEnv('FORCE_COLOR', '1');
  expect(painter(new PassThrough())('bad', 'problem')).toBe('problem');
});

it('aligns columns, with nothing behind the last one', () => {
  expect(
    columns([
      ['a', 'long', 'x'],
      ['longer', 'b', ''],
    ]),
  ).toEqual(['a       long  x', 'longer  b']);
});

it('says what checks found in lines, or as JSON and nothing else', async () => {
  const checks = [
    { name: 'one', look: async () => 'is well' },
    { name: 'two', look: () => Promise.reject(new Problem('is not')) },
    { name: 'three', look: () => Promise.reject(new Remark('is odd')) },
  ];
  const said = async (asJson: boolean) => {
    const stdout = new PassThrough();
    const report = createReport(stdout, asJson);
    const results: boolean[] = [];
    for (const check of checks) results.push(await report.add(check));
    report.end('The end.');
    expect(results).toEqual([true, false, true]);
    return String(stdout.read());
  };

  expect(await said(false)).toBe(
    'ok       one: is well\nproblem  two: is not\nlook at  three: is odd\n\nThe end.\n',
  );
  expect(JSON.parse(await said(true))).toEqual([
    { name: 'one', result: 'ok', text: 'is well' },
    { name: 'two', result: 'problem', text: 'is not' },
    { name: 'three', result: 'look at', text: 'is odd' },
  ]);
});
