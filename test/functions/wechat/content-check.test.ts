import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCheckContent } from '../../../functions/wechat/content-check.ts';
import { appid, connectTo, endToken, setUp } from './token-routes.ts';

const openid = 'oAlice-hush';
const RISKY = '特3456书yuuo莞6543李zxcz蒜7782法fgnv级';

let service: Awaited<ReturnType<typeof setUp>>;
beforeEach(async () => {
  service = await setUp();
});
afterEach(() => service.close());

const check = (text: string) => createCheckContent(service)({ appid, openid, text });

describe('a text', () => {
  it.each([
    ['小明', { decision: 'pass', label: 100 }],
    [RISKY, { decision: 'risky', label: 20001 }],
    ['完2347全dfji试3726测asad感3847知qwez到', { decision: 'risky', label: 20001 }],
    ['请复审', { decision: 'review', label: 21000 }],
    ['"\\\u2028\u{1f600} &access_token=x', { decision: 'pass', label: 100 }],
  ])('%j is decided on', async (text, decision) => {
    expect(await check(text)).toEqual(decision);
  });

  it('is decided on with a label that is a string', async () => {
    service.wechat.setFault({ fault: 'loose_types', route: 'msg_sec_check' });

    expect(await check(RISKY)).toEqual({ decision: 'risky', label: 20001 });
  });

  it('that WeChat calls risky by the errcode of version 1 is risky, and no failure', async () => {
    service.wechat.setFault({ fault: 'errcode', errcode: 87014, route: 'msg_sec_check' });

    expect(await check('小明')).toEqual({ decision: 'risky' });
  });

  it('is decided on although the token was ended a moment ago', async () => {
    await check('小明');
    await endToken(service.wechat);

    expect(await check(RISKY)).toMatchObject({ decision: 'risky' });
  });
});

describe('no decision', () => {
  it.each([
    [61010, 'wechat_unavailable'],
    [43104, 'wechat_unavailable'],
    [40003, 'wechat_unavailable'],
    [44991, 'rate_limited'],
    [45009, 'rate_limited'],
    [48001, 'wechat_misconfigured'],
    [47001, 'wechat_unavailable'],
    [-1, 'wechat_unavailable'],
  ])('is what errcode %i means: %s', async (errcode, code) => {
    service.wechat.setFault({ fault: 'errcode', errcode, route: 'msg_sec_check' });

    const error = await service.failureOf(check('hush-name'), 'hush-name', openid, '99_');

    expect(error).toMatchObject({ code, errcode });
  });

  it.each(['truncated', 'not_json', 'empty', 'array_body', 'http_502_html', 'reset_mid_body'] as const)(
    'is what %s means',
    async (fault) => {
      service.wechat.setFault({ fault, route: 'msg_sec_check' });

      const error = await service.failureOf(check('hush-name'), 'hush-name', openid, '99_');

      expect(error.code).toBe('wechat_unavailable');
    },
  );

  it('is what a success without a decision, or with an unknown one, means', async () => {
    for (const answer of [
      {},
      { result: null },
      { result: {} },
      { result: { suggest: 'fine', label: 100 } },
      { result: { label: 100 } },
      { detail: [{ errcode: 0, suggest: 'risky', label: 20001 }] },
    ]) {
      const { connection, close } = await connectTo((_, response) => {
        response.end(JSON.stringify({ errcode: 0, errmsg: 'ok', ...answer }));
      });

      const call = createCheckContent({ connection, accessTokens: service.accessTokens })({
        appid,
        openid,
        text: 'hush-name',
      });
      const error = await service.failureOf(call, 'hush-name', openid);
      close();

      expect(error.code, JSON.stringify(answer)).toBe('wechat_unavailable');
    }
  });
});
