import { expect, it } from 'vitest';
import { createJournal } from '../../../local/console/journal.ts';

const record = { method: 'POST', path: '/member/login', durationMs: 12.4, headers: [] };

it('joins what gateway, authorizer and function say of a request, and count in it, while others are under way', () => {
  const journal = createJournal();
  const aws = (metric: string, dimension: string) =>
    `"_aws":{"CloudWatchMetrics":[{"Dimensions":[["service","${dimension}"]],"Metrics":[{"Name":"${metric}"}]}]}`;
  journal.line(
    'Login',
    `{"service":"s","Logins":1,"outcome":"never answered",${aws('Logins', 'outcome')}}`,
    '3',
  );
  journal.line(
    'Authorizer',
    `{"service":"s","TokenRefusals":1,"reason":"expired",${aws('TokenRefusals', 'reason')}}`,
    '2',
  );
  journal.line('Authorizer', '{"message":"authorized","request_id":"a","reason":"expired"}', '2');
  const both =
    '"level":"INFO","message":"request","request_id":"b","outcome":"rate_limited","wechat_errcode":45011';
  journal.line('Login', `{${both},"service":"s","Logins":1,${aws('Logins', 'outcome')}}`, '1');
  journal.line('Login', 'no JSON', '1');
  journal.line('Login', '{"request_id":"b","message":"of no invocation"}', undefined);

  journal.request({ ...record, requestId: 'b', status: 429, body: '{"error":"rate_limited"}' });
  journal.request({
    ...record,
    requestId: 'a',
    status: 401,
    body: '{"error":"unauthorized"}',
    refusal: 'UNAUTHORIZED',
  });

  expect(journal.after(0)[0]?.lines[0]).not.toHaveProperty('Logins');
  expect(journal.after(0)).toMatchObject([
    {
      request_id: 'b',
      status: 429,
      ms: 12,
      error: 'rate_limited',
      lines: [{ function: 'Login', message: 'request', outcome: 'rate_limited', wechat_errcode: 45011 }],
      metrics: [{ Logins: 1, outcome: 'rate_limited' }],
    },
    {
      request_id: 'a',
      error: 'unauthorized',
      refusal: 'UNAUTHORIZED',
      lines: [{ function: 'Authorizer', message: 'authorized', reason: 'expired' }],
      metrics: [{ TokenRefusals: 1, reason: 'expired' }],
    },
  ]);
});

it('keeps the last few hundred, whatever is logged of requests that are never answered', () => {
  const journal = createJournal();
  for (let count = 0; count < 500; count++) {
    journal.line('Login', `{"request_id":"never-${count}"}`, `${count}`);
    journal.request({ ...record, requestId: `${count}`, status: 200, body: '' });
  }

  expect(journal.after(0)).toHaveLength(200);
  expect(journal.after(0).at(-1)?.request_id).toBe('499');
});
