import { expect, it } from 'vitest';
import { logLine, requestLine } from '../../../bin/start/log-lines.ts';

it('leaves out what the line per request says already, and the metrics', () => {
  for (const line of [
    '{"level":"INFO","message":"request","outcome":"ok"}',
    '{"errorType":"Error","errorMessage":"Unauthorized","stack":[]}',
    '{"_aws":{"Timestamp":1,"CloudWatchMetrics":[]},"service":"wechat-login-dev","Failures":1}',
  ])
    expect(logLine('Login', line), line).toBeUndefined();
});

it('shows everything else, with the name of the function', () => {
  for (const line of [
    '{"level":"ERROR","message":"request","outcome":"internal"}',
    '{"errorType":"Error","errorMessage":"No decision about the token"}',
    'Task timed out after 25.00 seconds',
  ])
    expect(logLine('Login', line)).toBe(`         Login: ${line}`);
});

it('has a line per request, and why it was refused', () => {
  const request = { requestId: 'r', method: 'GET', path: '/member/me', durationMs: 1.6 };

  expect(requestLine({ ...request, status: 200 })).toMatch(/^\d\d:\d\d:\d\d GET \/member\/me 200 2 ms$/);
  expect(requestLine({ ...request, status: 401, refusal: 'UNAUTHORIZED', fault: 'no function' })).toMatch(
    / 401 2 ms UNAUTHORIZED: no function$/,
  );
});
