import fs from 'node:fs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { log } from '../../../functions/telemetry/logger.ts';
import { createMetrics, type Metrics } from '../../../functions/telemetry/metrics.ts';
import { emfDocuments } from '../../fixtures/emf.ts';

const NAMESPACE = 'WechatLogin';
const SERVICE = 'wechat-login-test';

let written: string[];
let metrics: Metrics;

beforeEach(() => {
  vi.stubEnv('POWERTOOLS_SERVICE_NAME', SERVICE);
  written = [];
  vi.spyOn(fs, 'writeSync').mockImplementation((_, chunk) => written.push(String(chunk)) && chunk.length);
  metrics = createMetrics(log);
  return () => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  };
});

const document = (dimensions: object, values: object) => ({
  namespace: NAMESPACE,
  dimensions: { service: SERVICE, ...dimensions },
  metrics: values,
});
const one = { unit: 'Count', value: 1 };

/** The lines that a request with these fields ends with. */
function linesOf(fields: Parameters<typeof log.info>[1] = {}): readonly string[] {
  log.info('request', fields);
  return written;
}

describe('the metrics of a request', () => {
  it('go along with its line, each with the service and the dimension of what is counted', () => {
    metrics.count('Logins', 'code_used');
    metrics.record({ LoginDuration: 12, WechatDuration: undefined, NewUsers: 1, SigningKeyAge: 0 });
    metrics.count('WechatExchanges', 'ok');

    expect(written).toEqual([]);
    const [line = '', ...others] = linesOf({ outcome: 'code_used', wechat_outcome: 'ok', status: 401 });

    expect(others).toEqual([]);
    expect(JSON.parse(line)).toMatchObject({ message: 'request', status: 401, outcome: 'code_used' });
    expect(emfDocuments([line])).toEqual([
      document({ outcome: 'code_used' }, { Logins: one }),
      document(
        {},
        {
          LoginDuration: { unit: 'Milliseconds', value: 12 },
          NewUsers: one,
          SigningKeyAge: { unit: 'Seconds', value: 0 },
        },
      ),
      document({ wechat_outcome: 'ok' }, { WechatExchanges: one }),
    ]);
  });

  it('have the dimension that the catalogue gives each', () => {
    metrics.count('Failures', 'internal');
    metrics.count('AuthorizerDecisions', 'none');
    metrics.count('TokenRefusals', 'expired');

    expect(emfDocuments(linesOf())).toEqual([
      document({ error: 'internal' }, { Failures: one }),
      document({ decision: 'none' }, { AuthorizerDecisions: one }),
      document({ reason: 'expired' }, { TokenRefusals: one }),
    ]);
  });

  it('have a line of their own where the request says something else under their names', () => {
    metrics.count('Logins', 'ok');
    metrics.count('Logins', 'code_used');
    metrics.record({ LoginDuration: 1 });
    metrics.record({ LoginDuration: 2 });

    const lines = linesOf({ outcome: 'unavailable' });

    expect(lines.map((line) => [emfDocuments([line]).length, JSON.parse(line).outcome])).toEqual([
      [1, 'unavailable'],
      [2, 'ok'],
      [1, 'code_used'],
    ]);
    expect(emfDocuments(lines)).toEqual([
      document({}, { LoginDuration: { unit: 'Milliseconds', value: 1 } }),
      document({ outcome: 'ok' }, { Logins: one }),
      document({}, { LoginDuration: { unit: 'Milliseconds', value: 2 } }),
      document({ outcome: 'code_used' }, { Logins: one }),
    ]);
  });

  it('are not in the line of the request after it', () => {
    metrics.count('Logins', 'ok');

    expect(emfDocuments(linesOf())).toHaveLength(1);
    written.length = 0;
    expect(emfDocuments(linesOf())).toEqual([]);
  });

  it('are lost alone when they cannot be written: nothing is thrown, the log says so, the next are whole', () => {
    metrics.record({ LoginDuration: 1, SigningKeyAge: 'not a number' as unknown as number });
    metrics.count('bogus' as 'Logins', 'ok');
    metrics.record({ WechatDuration: 2 });
    metrics.count('Logins', 'ok');

    expect(emfDocuments(linesOf())).toEqual([
      document({}, { WechatDuration: { unit: 'Milliseconds', value: 2 } }),
      document({ outcome: 'ok' }, { Logins: one }),
    ]);
    expect(written.map((line) => JSON.parse(line).message)).toEqual([
      'metrics lost',
      'metrics lost',
      'request',
    ]);
    expect(written.join('')).not.toContain('not a number');
  });
});
