import fs from 'node:fs';
import { beforeEach, expect, it, vi } from 'vitest';
import type { Log } from '../../../functions/telemetry/logger.ts';

let written: string[];
let log: Log;
beforeEach(async () => {
  vi.stubEnv('POWERTOOLS_SERVICE_NAME', 'wechat-login-test');
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 2, 3, 4, 5, 6), toFake: ['Date'] });
  written = [];
  vi.spyOn(fs, 'writeSync').mockImplementation((_, chunk) => written.push(String(chunk)) && chunk.length);
  // As a new environment has it.
  vi.resetModules();
  ({ log } = await import('../../../functions/telemetry/logger.ts'));
  return () => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  };
});

const line = (level: string, message: string, fields: object): object => ({
  level,
  message,
  timestamp: '2026-01-02T03:04:05.006Z',
  service: 'wechat-login-test',
  ...fields,
  memory_mb: expect.any(Number),
});
const lines = (): object[] => written.map((text) => JSON.parse(text));

it('a log line is one line of JSON: level, message, time and service, its fields, and what the process takes', () => {
  log.info('request', { route: 'GET /health', status: 200, stack: 'a\nb', absent: undefined });
  log.error('request', { outcome: 'internal' });

  expect(lines()).toEqual([
    {
      ...line('INFO', 'request', { route: 'GET /health', status: 200, stack: 'a\nb' }),
      cold_start_ms: expect.any(Number),
    },
    line('ERROR', 'request', { outcome: 'internal' }),
  ]);
  for (const text of written) expect(text).toMatch(/^\{"level":"[^\n]*\}\n$/);
});

it('only the first line of an environment tells how old it is: what its first request waited', () => {
  for (let request = 0; request < 3; request++) log.info('request', {});

  expect(lines().map((each) => 'cold_start_ms' in each)).toEqual([true, false, false]);
});

it('no field of a log line takes the place of what the line itself says', () => {
  log.info('request', { level: 'ERROR', message: 'another', service: 'another', timestamp: 'never' });

  expect(lines()).toEqual([{ ...line('INFO', 'request', {}), cold_start_ms: expect.any(Number) }]);
});

it.each([
  ['1', { xray_trace_id: '1-67891233-abcdef012345678912345678' }],
  ['0', {}],
])('a log line names the trace of its invocation, if there is one: Sampled=%s', (sampled, expected) => {
  vi.stubEnv(
    '_X_AMZN_TRACE_ID',
    `Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=${sampled}`,
  );
  log.info('first', {});
  log.info('request', {});

  expect(lines()[1]).toEqual(line('INFO', 'request', expected));
});

it('a line that the pipe takes in pieces, or not at once, arrives whole', () => {
  const full = Object.assign(new Error('try again'), { code: 'EAGAIN' });
  let calls = 0;
  vi.mocked(fs.writeSync).mockImplementation((_, chunk) => {
    calls += 1;
    if (calls % 2 === 0) throw full;
    const piece = Buffer.from(chunk).subarray(0, 7);
    return written.push(String(piece)) && piece.length;
  });

  log.info('request', { route: '路由' });

  expect(JSON.parse(written.join(''))).toMatchObject({ message: 'request' });
  expect(calls).toBeGreaterThan(20);
});
