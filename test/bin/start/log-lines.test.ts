import { expect, it } from 'vitest';
import { isNoteworthy } from '../../../bin/start/log-lines.ts';

it('leaves out what the line per request says already, and the metrics', () => {
  for (const line of [
    '{"level":"INFO","message":"request","outcome":"ok"}',
    '{"errorType":"Error","errorMessage":"Unauthorized","stack":[]}',
    '{"_aws":{"Timestamp":1,"CloudWatchMetrics":[]},"service":"wechat-login-dev","Failures":1}',
  ])
    expect(isNoteworthy(line), line).toBe(false);
});

it('lets everything else through', () => {
  for (const line of [
    '{"level":"ERROR","message":"request","outcome":"internal"}',
    '{"errorType":"Error","errorMessage":"No verdict on the token"}',
    'Task timed out after 25.00 seconds',
  ])
    expect(isNoteworthy(line), line).toBe(true);
});
