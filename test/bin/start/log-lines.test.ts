import { expect, it } from 'vitest';
import { logLine, requestLine } from '../../../bin/start/log-lines.ts';

it('leaves out what the line per request says already, and the metrics', () => {
  for (const line of [
    '{"level":"INFO","message":"request","outcome":"ok"}',
    '{"errorType":"Error","errorMessage":"Unauthorized","stack":[]}',
    '{"service":"wechat-login-dev","Failures":1,"_aws":{"Timestamp":1,"CloudWatchMetrics":[]}}',
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

it('leaves the metrics out of a line that has more to say', () => {
  const line =
    '{"level":"ERROR","outcome":"internal","Failures":1,"_aws":{"Timestamp":1,"CloudWatchMetrics":[]}}';

  expect(logLine('Login', line)).toBe('         Login: {"level":"ERROR","outcome":"internal","Failures":1}');
});

it('has a line per request, with its id, and what was refused as the client sees it', () => {
  const request = { requestId: 'r-1', method: 'GET', path: '/member/me', durationMs: 1.6, headers: [] };
  const line = (rest: { status: number; body: string; refusal?: string; fault?: string }) =>
    requestLine({ ...request, ...rest }, (_style, text) => text);

  expect(line({ status: 200, body: '{"code":200}' })).toMatch(
    /^\d\d:\d\d:\d\d GET \/member\/me 200 2 ms r-1$/,
  );
  expect(line({ status: 401, body: '{"error":"unauthorized"}', refusal: 'UNAUTHORIZED' })).toMatch(
    / 401 unauthorized 2 ms r-1$/,
  );
  expect(
    line({ status: 500, body: '{"message":null}', refusal: 'AUTHORIZER_FAILURE', fault: 'none' }),
  ).toMatch(/ 500 AUTHORIZER_FAILURE 2 ms r-1 none$/);
});
