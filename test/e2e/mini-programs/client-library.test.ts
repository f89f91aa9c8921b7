/** The client library for mini-programs against the running service, whose envelopes and refusals are the real ones. */
import { afterAll, expect, inject, it } from 'vitest';
import { createLoginClient, web } from '../../../packages/mini-program/src/index.ts';
import {
  breakWechat,
  expectCleanLogs,
  healWechat,
  keepSecret,
  newOpenid,
  tapPhoneButton,
  wxLogin,
} from '../service.ts';

afterAll(expectCleanLogs);

/** A client of a new user, and how many codes it has taken. */
function newClient() {
  const openid = newOpenid();
  const codes: string[] = [];
  /** Requests of a method that arrive, and whose responses do not. */
  const lost = new Set<string>();
  const platform = web({
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      if (lost.delete(init?.method ?? 'GET')) throw new TypeError('fetch failed');
      return response;
    },
    getCode: async () => {
      const code = await wxLogin({ openid });
      codes.push(code);
      return code;
    },
  });
  return {
    client: createLoginClient({ baseUrl: inject('baseUrl'), platform, language: 'en' }),
    codes,
    openid,
    lost,
  };
}

it('a client logs in silently, once for many requests, and reads the profile', async () => {
  const { client, codes } = newClient();

  const answers = await Promise.all([client.me(), client.me(), client.request({ url: '/whoami' })]);
  keepSecret(await client.token());

  expect(codes).toHaveLength(1);
  expect(client.session).toEqual({ userId: answers[0].user_id, isNew: true });
});

it('a token that is revoked elsewhere takes one login and one repetition', async () => {
  const { client, codes } = newClient();
  const { user_id: userId } = await client.me();
  const token = keepSecret(await client.token());
  await fetch(`${inject('baseUrl')}/member/logout`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });

  expect((await client.me()).user_id).toBe(userId);

  keepSecret(await client.token());
  expect(codes).toHaveLength(2);
});

it('a logout ends the login at the service too', async () => {
  const { client } = newClient();
  await client.me();
  const token = keepSecret(await client.token());

  await client.logout();

  await expect(client.me()).rejects.toMatchObject({ code: 'logged_out' });
  const { status } = await fetch(`${inject('baseUrl')}/member/me`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(status).toBe(403);
});

it("the service's own errors arrive with code, status, text and request id", async () => {
  const { client } = newClient();
  await breakWechat({ fault: 'http_502_html', times: 1 });

  await expect(client.login()).rejects.toMatchObject({
    code: 'wechat_unavailable',
    status: 503,
    message: 'The call to WeChat failed',
    requestId: expect.any(String),
  });

  await healWechat();
  await client.login();
  keepSecret(await client.token());
  await expect(client.request({ url: '/nowhere' })).rejects.toMatchObject({ code: 'not_found', status: 404 });
});

it('a member changes the profile and binds a number, and is told by name what cannot be kept', async () => {
  const { client, openid } = newClient();
  const phone = keepSecret(`138${String(Math.floor(Math.random() * 1e8)).padStart(8, '0')}`);

  const changed = await client.updateMe({ nickname: '小明', sex: 1, avatar: 'https://a.example/1.png' });
  const bound = await client.bindPhone({ code: await tapPhoneButton({ openid, phone }) });
  keepSecret(await client.token());

  expect(changed).toMatchObject({ username: '小明', sex: 1, avatar: 'https://a.example/1.png', phone: null });
  expect(bound).toEqual({ ...changed, phone: `+86 138******${phone.slice(-2)}` });
  expect(await client.me()).toEqual(bound);
  expect(await client.updateMe({ nickname: '' })).toMatchObject({ username: '' });
  await expect(client.updateMe({ avatar: 'http://a.example/1.png' })).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringContaining('avatar'),
  });
  await expect(client.bindPhone({ code: 'never-handed-out' })).rejects.toMatchObject({
    code: 'phone_code_invalid',
    status: 401,
  });
});

it('a deleted account is gone, and only a login that is asked for makes another', async () => {
  const { client, codes } = newClient();
  const { user_id: userId } = await client.me();
  keepSecret(await client.token());

  expect(await client.deleteMe()).toEqual({ erased: true });

  await expect(client.me()).rejects.toMatchObject({ code: 'logged_out' });
  expect(codes).toHaveLength(1);
  const again = await client.login();
  keepSecret(await client.token());
  expect(again).toEqual({ userId: expect.any(String), isNew: true });
  expect(again.userId).not.toBe(userId);
});

it('a deletion whose response is lost makes no account, and says that it was done when it is repeated', async () => {
  const { client, codes, lost } = newClient();
  await client.me();
  keepSecret(await client.token());
  lost.add('DELETE');

  await expect(client.deleteMe()).rejects.toMatchObject({ code: 'network' });
  await expect(client.deleteMe()).rejects.toMatchObject({ code: 'token_revoked', status: 403 });

  expect(client.session).toBeUndefined();
  await expect(client.me()).rejects.toMatchObject({ code: 'logged_out' });
  expect(codes).toHaveLength(1);
});
