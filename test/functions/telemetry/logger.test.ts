import { beforeEach, expect, it, vi } from 'vitest';
import { log } from '../../../functions/telemetry/logger.ts';

let written: string[];
beforeEach(() => {
  vi.stubEnv('POWERTOOLS_SERVICE_NAME', 'wechat-login-test');
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 2, 3, 4, 5, 6), toFake: ['Date'] });
  written = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => written.push(String(chunk)) > 0);
  return () => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  };
});

const line = (level: string, message: string, fields: object): string =>
  `${JSON.stringify({ level, message, timestamp: '2026-01-02T03:04:05.006Z', service: 'wechat-login-test', ...fields })}\n`;

it('a log line is one line of JSON: level, message, time and service, then its fields', () => {
  log.info('request', { route: 'GET /health', status: 200, stack: 'a\nb', absent: undefined });
  log.error('request', { outcome: 'internal' });

  expect(written).toEqual([
    line('INFO', 'request', { route: 'GET /health', status: 200, stack: 'a\nb' }),
    line('ERROR', 'request', { outcome: 'internal' }),
  ]);
});

it('no field of a log line takes the place of what the line itself says', () => {
  log.info('request', { level: 'ERROR', message: 'another', service: 'another', timestamp: 'never' });

  expect(written).toEqual([line('INFO', 'request', {})]);
});

it('a log line names the trace of its invocation, where there is one', () => {
  vi.stubEnv(
    '_X_AMZN_TRACE_ID',
    'Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=1',
  );

  log.info('request', {});

  expect(written).toEqual([
    line('INFO', 'request', { xray_trace_id: '1-67891233-abcdef012345678912345678' }),
  ]);
});
