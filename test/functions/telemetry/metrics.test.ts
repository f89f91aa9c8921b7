import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { LogFields } from '../../../functions/telemetry/logger.ts';
import { createMetrics, type Metrics } from '../../../functions/telemetry/metrics.ts';
import { emfDocuments } from '../../fixtures/emf.ts';

const NAMESPACE = 'WechatLogin';
const SERVICE = 'wechat-login-test';

let written: string[];
let logged: [message: string, fields: LogFields][];
let metrics: Metrics;

beforeEach(() => {
  vi.stubEnv('POWERTOOLS_SERVICE_NAME', SERVICE);
  // What Lambda sets, and Powertools could make a dimension of.
  vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'Login');
  written = [];
  logged = [];
  const keep = (chunk: unknown) => written.push(String(chunk)) > 0;
  for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, 'write').mockImplementation(keep);
  const log = (message: string, fields: LogFields) => logged.push([message, fields]);
  metrics = createMetrics({ info: log, error: log });
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

describe('a document of metrics', () => {
  it('a document of metrics is one line, with the service and the dimension of what is counted, and nothing else', () => {
    metrics.count('Logins', 'code_used');

    expect(written).toHaveLength(1);
    expect(written[0]).toMatch(/^\{[^\n]*\}\n$/);
    expect(emfDocuments(written)).toEqual([document({ outcome: 'code_used' }, { Logins: one })]);
  });

  it('a document of metrics has the dimension that the catalogue gives each metric', () => {
    metrics.count('WechatExchanges', 'ok');
    metrics.count('Failures', 'internal');
    metrics.count('AuthorizerDecisions', 'none');
    metrics.count('TokenRefusals', 'expired');

    expect(emfDocuments(written)).toEqual([
      document({ outcome: 'ok' }, { WechatExchanges: one }),
      document({ error: 'internal' }, { Failures: one }),
      document({ decision: 'none' }, { AuthorizerDecisions: one }),
      document({ reason: 'expired' }, { TokenRefusals: one }),
    ]);
  });

  it('a document of metrics holds the values without a dimension of their own, in their units, if they happened', () => {
    metrics.record({ LoginDuration: 12, WechatDuration: undefined, NewUsers: 1, SigningKeyAge: 0 });

    expect(written).toHaveLength(1);
    expect(emfDocuments(written)).toEqual([
      document(
        {},
        {
          LoginDuration: { unit: 'Milliseconds', value: 12 },
          NewUsers: one,
          SigningKeyAge: { unit: 'Seconds', value: 0 },
        },
      ),
    ]);
  });

  it('a document of metrics takes nothing over from the one before', () => {
    metrics.count('Logins', 'ok');
    metrics.record({ LoginDuration: 1 });
    metrics.count('TokenRefusals', 'expired');
    metrics.record({ LoginDuration: 2 });

    expect(emfDocuments(written).map(({ dimensions, metrics: values }) => [dimensions, values])).toEqual([
      [{ service: SERVICE, outcome: 'ok' }, { Logins: one }],
      [{ service: SERVICE }, { LoginDuration: { unit: 'Milliseconds', value: 1 } }],
      [{ service: SERVICE, reason: 'expired' }, { TokenRefusals: one }],
      [{ service: SERVICE }, { LoginDuration: { unit: 'Milliseconds', value: 2 } }],
    ]);
  });

  it('a document that cannot be written is lost alone: nothing is thrown, the log says so, the next is whole', () => {
    metrics.record({ LoginDuration: 1, SigningKeyAge: 'not a number' as unknown as number });
    metrics.count('bogus' as 'Logins', 'ok');
    metrics.record({ WechatDuration: 2 });
    metrics.count('Logins', 'ok');

    expect(emfDocuments(written)).toEqual([
      document({}, { WechatDuration: { unit: 'Milliseconds', value: 2 } }),
      document({ outcome: 'ok' }, { Logins: one }),
    ]);
    expect(logged.map(([message]) => message)).toEqual(['metrics lost', 'metrics lost']);
    expect(JSON.stringify(logged)).not.toContain('not a number');
  });
});
