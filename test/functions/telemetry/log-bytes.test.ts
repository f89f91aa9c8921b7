/** `docs/cost.md` computes what logs cost from the bytes of one login. */
import { readFileSync } from 'node:fs';
import { beforeEach, expect, it, vi } from 'vitest';
import { measureLogins } from '../../../functions/login/login-metrics.ts';
import { log } from '../../../functions/telemetry/logger.ts';
import { createMetrics } from '../../../functions/telemetry/metrics.ts';

const documented = readFileSync(new URL('../../../docs/cost.md', import.meta.url), 'utf8');

/** KB of 1,000 bytes, as the page says them. */
const kbOf = (pattern: RegExp): number => Number(pattern.exec(documented)?.[1]);

let bytes: number;
beforeEach(() => {
  vi.stubEnv('POWERTOOLS_SERVICE_NAME', 'wechat-login-staging');
  vi.stubEnv('_X_AMZN_TRACE_ID', 'Root=1-67891233-abcdef012345678912345678;Sampled=1');
  bytes = 0;
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    bytes += Buffer.byteLength(String(chunk));
    return true;
  });
  return () => vi.restoreAllMocks();
});

it('the metrics of a login take no more of the log than the page on cost says', () => {
  measureLogins(createMetrics(log))({
    outcome: 'ok',
    durationMs: 1_234,
    trace: { wechat_outcome: 'ok', wechat_ms: 1_000, is_new: false, key_age_seconds: 2_000_000 },
  });

  expect(bytes).toBeGreaterThan(500);
  expect(bytes / 1000).toBeLessThanOrEqual(kbOf(/3 lines of metrics (\d\.\d+) KB/));
});

it('the line of a login takes no more of the log than the page on cost says', () => {
  log.info('request', {
    request_id: '3f0d2f0e-52d5-4c40-a6f4-0c3c0d0e2a11',
    route: 'POST /member/login',
    status: 200,
    outcome: 'ok',
    duration_ms: 1_234,
    user_id: '3f0d2f0e-52d5-4c40-a6f4-0c3c0d0e2a11',
    is_new: false,
    wechat_outcome: 'ok',
    wechat_host: 0,
    wechat_ms: 1_000,
    key_age_seconds: 2_000_000,
  });

  expect(bytes).toBeGreaterThan(200);
  expect(bytes / 1000).toBeLessThanOrEqual(kbOf(/request's line (\d\.\d+)/));
});
