/** The client library for mini-programs against the running service, whose envelopes and refusals are the real ones. */
import { afterAll, expect, inject, it } from 'vitest';
import { createLoginClient, web } from '../../../packages/mini-program/src/index.ts';
import { breakWechat, expectCleanLogs, healWechat, keepSecret, newOpenid, wxLogin } from '../service.ts';

afterAll(expectCleanLogs);

/** A client of a new user, and how many codes it has taken. */
function newClient() {
  const openid = newOpenid();
  const codes: string[] = [];
  const platform = web({
    fetch,
    getCode: async () => {
      const code = await wxLogin({ openid });
      codes.push(code);
      return code;
    },
  });
  return { client: createLoginClient({ baseUrl: inject('baseUrl'), platform, language: 'en' }), codes };
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
