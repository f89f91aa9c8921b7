import { afterAll, expect, inject, it } from 'vitest';
import { breakWechat, expectCleanLogs, get, healWechat, keepSecret, newOpenid, wxLogin } from '../service.ts';

afterAll(expectCleanLogs);

interface WxResponse {
  readonly statusCode: number;
  // biome-ignore lint/suspicious/noExplicitAny: that is what wx.request hands over
  readonly data: any;
}

interface WxRequest {
  readonly url: string;
  readonly method: string;
  readonly data: object;
  readonly success: (response: WxResponse) => void;
  readonly fail?: (error: { errMsg: string }) => void;
}

/**
 * The part of `wx` that a login uses, with its rules: any HTTP status goes to `success`, the body is parsed as
 * JSON whatever its content type, only a network failure goes to `fail`.
 */
function createWx(openid: string) {
  const storage = new Map<string, unknown>();
  const shown: string[] = [];
  let pending: Promise<unknown> = Promise.resolve();
  return {
    storage,
    shown,
    settled: async () => {
      await pending;
      await pending;
    },
    login({ success }: { success: (result: { code: string }) => void }) {
      pending = wxLogin({ openid }).then((code) => success({ code }));
    },
    request({ url, method, data, success, fail }: WxRequest) {
      pending = fetch(url, {
        method,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(data),
      }).then(
        async (response) => success({ statusCode: response.status, data: JSON.parse(await response.text()) }),
        (error: Error) => fail?.({ errMsg: `request:fail ${error.message}` }),
      );
    },
    showToast({ title }: { title: string }) {
      shown.push(title);
    },
    setStorageSync(key: string, value: unknown) {
      storage.set(key, value);
    },
  };
}

/** The original mini-program's login, word for word. */
function memberLogin(wx: ReturnType<typeof createWx>, userInfo: Record<string, unknown>, url: string) {
  wx.login({
    success: (res) => {
      userInfo.code = res.code;
      wx.request({
        url: `${url}/member/login`,
        data: userInfo,
        method: 'POST',
        success: (res) => {
          // biome-ignore lint/suspicious/noDoubleEquals: word for word
          if (res.data.code != 200) {
            wx.showToast({ title: res.data.msg });
            return;
          }
          wx.setStorageSync('token', res.data.data.token);
        },
      });
    },
  });
}

const userInfo = () => ({
  nickName: 'Band',
  gender: 1,
  language: 'zh_CN',
  city: 'Guangzhou',
  province: 'Guangdong',
  country: 'CN',
  avatarUrl: 'https://wx.qlogo.cn/mmopen/vi_32/a/0',
});

it('the original mini-program logs in unchanged and keeps a token that works', async () => {
  const wx = createWx(newOpenid());

  memberLogin(wx, userInfo(), inject('baseUrl'));
  await wx.settled();

  const token = keepSecret(String(wx.storage.get('token')));
  expect((await get('/member/me', token)).body.data).toMatchObject({ username: 'Band', sex: 1 });
  expect(wx.shown).toEqual([]);
});

it('the original mini-program shows 微信调用失败 when WeChat fails', async () => {
  const wx = createWx(newOpenid());
  await breakWechat({ fault: 'http_502_html', times: 1 });

  memberLogin(wx, userInfo(), inject('baseUrl'));
  await wx.settled();
  await healWechat();

  expect(wx.shown).toEqual(['微信调用失败']);
  expect(wx.storage.has('token')).toBe(false);
});

it('the original mini-program shows 缺少code when it sends none', async () => {
  const wx = createWx(newOpenid());
  const withoutCode = {
    ...wx,
    login: ({ success }: Parameters<typeof wx.login>[0]) => success({ code: '' }),
  };

  memberLogin(withoutCode, userInfo(), inject('baseUrl'));
  await wx.settled();

  expect(wx.shown).toEqual(['缺少code']);
});
