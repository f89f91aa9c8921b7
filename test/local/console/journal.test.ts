import { expect, it } from 'vitest';
import { createJournal } from '../../../local/console/journal.ts';

const record = { method: 'POST', path: '/member/login', durationMs: 12.4 };

it('joins what gateway, authorizer and function say of a request by its id', () => {
  const journal = createJournal();
  journal.line(
    'Authorizer',
    '{"message":"authorized","request_id":"a","decision":"refuse","reason":"expired"}',
  );
  journal.line('Login', '{"level":"INFO","message":"request","request_id":"b","wechat_errcode":45011}');
  journal.line('Login', '{"_aws":{},"service":"s","Logins":1,"outcome":"rate_limited"}');
  journal.line('Login', 'no JSON');

  journal.request({ ...record, requestId: 'b', status: 429, body: '{"error":"rate_limited"}' });
  journal.request({
    ...record,
    requestId: 'a',
    status: 401,
    body: '{"error":"unauthorized"}',
    refusal: 'UNAUTHORIZED',
  });

  expect(journal.after(0)).toMatchObject([
    {
      request_id: 'b',
      status: 429,
      ms: 12,
      error: 'rate_limited',
      lines: [{ function: 'Login', message: 'request', wechat_errcode: 45011 }],
      metrics: [{ Logins: 1, outcome: 'rate_limited' }],
    },
    {
      request_id: 'a',
      error: 'unauthorized',
      refusal: 'UNAUTHORIZED',
      lines: [{ function: 'Authorizer', decision: 'refuse', reason: 'expired' }],
      metrics: [],
    },
  ]);
});

it('keeps the last few hundred, whatever is logged of requests that are never answered', () => {
  const journal = createJournal();
  for (let count = 0; count < 500; count++) {
    journal.line('Login', `{"request_id":"never-${count}"}`);
    journal.request({ ...record, requestId: `${count}`, status: 200, body: '' });
  }

  expect(journal.after(0)).toHaveLength(200);
  expect(journal.after(0).at(-1)?.request_id).toBe('499');
});
