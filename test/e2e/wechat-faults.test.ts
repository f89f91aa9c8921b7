import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type Answer,
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

const logIn = async (openid: string): Promise<Answer> =>
  post('/member/login', { code: await wxLogin({ openid }), nickName: '不丢' });

async function logInDuring(fault: Parameters<typeof breakWechat>[0]): Promise<Answer> {
  const code = await wxLogin();
  await breakWechat(fault);
  const answer = await post('/member/login', { code });
  await healWechat();
  return answer;
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
    const answer = await logInDuring({ fault: 'errcode', errcode });

    expect(answer.body).toMatchObject({ code: status, error, msg });
    expect(answer.headers.has('retry-after')).toBe(status === 429);
  });

  it('is understood when errcode is a string', async () => {
    const answer = await logInDuring({ fault: 'errcode', errcode: 40029, asString: true });

    expect(answer.body).toMatchObject({ code: 401, error: 'invalid_code' });
  });
});

describe('a success of WeChat', () => {
  it.each(['errcode_zero', 'legacy_expires_in'])('with %s is a login', async (fault) => {
    const answer = await logInDuring({ fault });

    expect(answer.status).toBe(200);
  });

  it('after one -1 is a login', async () => {
    const before = await wechatCalls();
    const answer = await logInDuring({ fault: 'errcode', errcode: -1, times: 1 });

    expect((await wechatCalls()) - before).toBe(2);
    expect(answer.status).toBe(200);
  });
});

describe('trouble of WeChat', () => {
  const troubles = [
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
  ];
  const openids = new Map(troubles.map((fault) => [fault, newOpenid()]));
  const answers = new Map<string, Answer>();
  let calls: number;

  /** All at once: some last as long as a login waits for WeChat. */
  beforeAll(async () => {
    const before = await wechatCalls();
    const logins: Promise<unknown>[] = [];
    for (const [at, [fault, openid]] of [...openids].entries()) {
      await breakWechat({ fault, times: 1 });
      logins.push(logIn(openid).then((answer) => answers.set(fault, answer)));
      while ((await wechatCalls()) - before <= at) await setTimeout(10);
    }
    await Promise.all(logins);
    calls = (await wechatCalls()) - before;
  });

  // The function's own time-out, or the gateway's, would be another answer.
  it.each(troubles)('%s is 503 wechat_unavailable, and the next login works', async (fault) => {
    expect(answers.get(fault)?.body).toMatchObject({
      code: 503,
      error: 'wechat_unavailable',
      msg: '微信调用失败',
    });
    const retried = await logIn(openids.get(fault) ?? '');
    expect(retried.body.data).toMatchObject({ username: '不丢', is_new: true });
  });

  it('is no reason to call again with a code that may be used', () => {
    expect(calls).toBe(troubles.length);
  });
});
