import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  type Answer,
  breakWechat,
  expectCleanLogs,
  get,
  healWechat,
  keepSecret,
  newOpenid,
  post,
  wxLogin,
} from '../service.ts';
import { startVariant } from '../variant.ts';

/** Both served by the one service; the first is the default. */
let first: string;
let second: string;
beforeAll(() => {
  [first, second] = inject('miniPrograms').map(({ appid }) => appid) as [string, string];
});

afterEach(healWechat);
afterAll(expectCleanLogs);

const referer = (appid: string) => ({ referer: `https://servicewechat.com/${appid}/12/page-frame.html` });

/** Logs a user of a mini-program in, whose code names that mini-program. */
async function logInto(appid: string, openid = newOpenid()): Promise<Answer['body']['data']> {
  const { status, body } = await post('/member/login', { code: await wxLogin({ appid, openid }), appid });
  expect(status).toBe(200);
  return body.data;
}

const clientOf = (token: string) => decodeJwt(token).client_id;

describe('a login of one of several mini-programs', () => {
  it('is one of the mini-program that the body names, whatever the Referer says', async () => {
    for (const [appid, other] of [
      [first, second],
      [second, first],
    ] as const)
      for (const named of [{ appid }, { appId: appid }]) {
        const code = await wxLogin({ appid });

        const { status, body } = await post('/member/login', { code, ...named }, referer(other));

        expect(status).toBe(200);
        expect(clientOf(body.data.token)).toBe(appid);
      }
  });

  it('is one of the mini-program in the Referer when the body names none', async () => {
    for (const appid of [first, second]) {
      const code = await wxLogin({ appid });

      const { status, body } = await post('/member/login', { code }, referer(appid));

      expect(status).toBe(200);
      expect(clientOf(body.data.token)).toBe(appid);
    }
  });

  it('is one of the first mini-program when nothing else is known', async () => {
    for (const headers of [{}, referer('wx00000000unknown')]) {
      const code = await wxLogin({ appid: first });

      const { status, body } = await post('/member/login', { code }, headers);

      expect(status).toBe(200);
      expect(clientOf(body.data.token)).toBe(first);
    }
  });

  it('that names an unknown one is told so in both languages, and nothing of it is repeated', async () => {
    const unknown = keepSecret('wx00000000unknown');
    const request = { code: await wxLogin(), appid: unknown };

    const chinese = await post('/member/login', request);
    const english = await post('/member/login', request, { 'accept-language': 'en' });

    expect(chinese.body).toMatchObject({ code: 400, error: 'invalid_request' });
    expect(chinese.body.msg).toContain('appid不属于本服务');
    expect(english.body).toMatchObject({ code: 400, error: 'invalid_request' });
    expect(english.body.msg).toContain('appid is not one that this service serves');
    for (const { body } of [chinese, english]) expect(JSON.stringify(body)).not.toContain(unknown);
  });
});

describe('two mini-programs', () => {
  it('have users of their own, also where WeChat gives them the same openid', async () => {
    const openid = newOpenid();

    const ofFirst = await logInto(first, openid);
    const ofSecond = await logInto(second, openid);
    const again = [await logInto(first, openid), await logInto(second, openid)];

    expect([ofFirst.is_new, ofSecond.is_new]).toEqual([true, true]);
    expect(ofSecond.user_id).not.toBe(ofFirst.user_id);
    expect(again).toMatchObject([
      { user_id: ofFirst.user_id, is_new: false },
      { user_id: ofSecond.user_id, is_new: false },
    ]);
  });

  it('have tokens that name them, which the authorizer tells and a refresh keeps', async () => {
    for (const appid of [first, second]) {
      const { token, user_id } = await logInto(appid);

      const whoami = await get('/whoami', token);
      const refreshed = await post('/member/refresh', {}, { authorization: `Bearer ${token}` });

      expect(clientOf(token)).toBe(appid);
      expect(whoami.body.data).toMatchObject({ user_id, appid });
      expect(clientOf(refreshed.body.data.token)).toBe(appid);
    }
  });

  it('do not take the codes of each other', async () => {
    for (const [appid, other] of [
      [first, second],
      [second, first],
    ] as const) {
      const code = await wxLogin({ appid });

      const stolen = await post('/member/login', { code, appid: other });
      const own = await post('/member/login', { code, appid });

      expect(stolen.body).toMatchObject({ code: 401, error: 'invalid_code' });
      expect(own.status).toBe(200);
    }
  });

  it('do not log in who has used a code at the other, even where WeChat calls the code used', async () => {
    const code = await wxLogin({ appid: first });
    const { body: login } = await post('/member/login', { code, appid: first });

    await breakWechat({ fault: 'errcode', errcode: 40163 });
    const repeated = await post('/member/login', { code, appid: first });
    const atOther = await post('/member/login', { code, appid: second });

    expect(repeated.body.data).toMatchObject({ user_id: login.data.user_id });
    expect(atOther.body).toMatchObject({ code: 401, error: 'code_used' });
  });

  it('have AppSecrets of their own: one that is wrong keeps out only who needs it', async () => {
    const wrong = keepSecret('00000000000000000000000000000000');
    const { url, logs } = await startVariant({ appSecrets: { [second]: wrong } });
    const logInAt = async (appid: string) => {
      const response = await fetch(`${url}/member/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code: await wxLogin({ appid }), appid }),
      });
      return (await response.json()) as Answer['body'];
    };

    const answers = [await logInAt(second), await logInAt(first), await logInAt(second)];

    expect(answers).toMatchObject([
      { code: 503, error: 'wechat_misconfigured' },
      { code: 200 },
      { code: 503, error: 'wechat_misconfigured' },
    ]);
    expect(logs.join('\n')).toMatch(/"wechat_errcode":40125/);
    for (const secret of [wrong, ...inject('miniPrograms').map((app) => app.secret)])
      expect(logs.join('\n')).not.toContain(secret);
  });
});
