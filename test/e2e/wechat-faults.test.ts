import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  breakWechat,
  expectCleanLogs,
  healWechat,
  newOpenid,
  post,
  wechatCalls,
  wxLogin,
} from './service.ts';

afterAll(expectCleanLogs);
afterEach(healWechat);

/** WeChat's budget of 4 s, and what the rest of a login takes on a busy machine. */
const LATENCY_BUDGET_MS = 4_000 + 3_000;

async function logInDuring(fault: Parameters<typeof breakWechat>[0]) {
  const openid = newOpenid();
  const code = await wxLogin({ openid });
  await breakWechat(fault);
  const startedAt = performance.now();
  const answer = await post('/member/login', { code, nickName: '不丢' });
  const elapsedMs = performance.now() - startedAt;
  await healWechat();
  return { openid, answer, elapsedMs };
}

describe('a refusal of WeChat', () => {
  it.each([
    [40029, 401, 'invalid_code', 'code无效，请重新登录'],
    [40163, 401, 'code_used', 'code已被使用，请重新登录'],
    [40226, 403, 'login_blocked', '该微信用户被限制登录'],
    [45011, 429, 'rate_limited', '请求过于频繁，请稍后再试'],
    [45009, 429, 'rate_limited', '请求过于频繁，请稍后再试'],
    [40013, 503, 'wechat_misconfigured', '微信调用失败'],
    [40125, 503, 'wechat_misconfigured', '微信调用失败'],
    [40164, 503, 'wechat_misconfigured', '微信调用失败'],
    [40243, 503, 'wechat_misconfigured', '微信调用失败'],
    [50002, 503, 'wechat_misconfigured', '微信调用失败'],
    [-1, 503, 'wechat_unavailable', '微信调用失败'],
    [40001, 503, 'wechat_unavailable', '微信调用失败'],
    [40002, 503, 'wechat_unavailable', '微信调用失败'],
    [41002, 503, 'wechat_unavailable', '微信调用失败'],
    [41004, 503, 'wechat_unavailable', '微信调用失败'],
    [41008, 503, 'wechat_unavailable', '微信调用失败'],
    [48001, 503, 'wechat_unavailable', '微信调用失败'],
    [40242, 503, 'wechat_unavailable', '微信调用失败'],
    [99999, 503, 'wechat_unavailable', '微信调用失败'],
  ])('errcode %i is %i %s', async (errcode, status, error, msg) => {
    const { answer } = await logInDuring({ fault: 'errcode', errcode });

    expect(answer.body).toMatchObject({ code: status, error, msg });
    expect(answer.headers.has('retry-after')).toBe(status === 429);
  });

  it('is understood when errcode is a string', async () => {
    const { answer } = await logInDuring({ fault: 'errcode', errcode: 40029, asString: true });

    expect(answer.body).toMatchObject({ code: 401, error: 'invalid_code' });
  });
});

describe('a success of WeChat', () => {
  it.each(['errcode_zero', 'legacy_expires_in'])('with %s is a login', async (fault) => {
    const { answer } = await logInDuring({ fault });

    expect(answer.status).toBe(200);
  });

  it('after one -1 is a login', async () => {
    const before = await wechatCalls();
    const { answer } = await logInDuring({ fault: 'errcode', errcode: -1, times: 1 });

    expect((await wechatCalls()) - before).toBe(2);
    expect(answer.status).toBe(200);
  });
});

describe('trouble of WeChat', () => {
  it.each([
    'http_502_html',
    'empty',
    'truncated',
    'not_json',
    'array_body',
    'no_openid',
    'no_session_key',
    'openid_number',
    'oversized',
    'reset_mid_body',
    'slow_drip',
    'hang',
  ])('%s is 503 wechat_unavailable within the budget, and the next login works', async (fault) => {
    const before = await wechatCalls();
    const { openid, answer, elapsedMs } = await logInDuring({ fault });

    expect(answer.body).toMatchObject({ code: 503, error: 'wechat_unavailable', msg: '微信调用失败' });
    expect(elapsedMs).toBeLessThan(LATENCY_BUDGET_MS);
    expect((await wechatCalls()) - before).toBe(1);
    const retried = await post('/member/login', { code: await wxLogin({ openid }), nickName: '不丢' });
    expect(retried.body.data).toMatchObject({ username: '不丢', is_new: true });
  });
});
