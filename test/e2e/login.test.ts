import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { afterAll, describe, expect, it } from 'vitest';
import { call, expectCleanLogs, get, keepSecret, logIn, newOpenid, post, wxLogin } from './service.ts';

afterAll(expectCleanLogs);

describe('a login', () => {
  it('creates the user at the first and finds it at the second', async () => {
    const openid = newOpenid();
    const profile = { nickName: '小明👨‍👩‍👧', gender: 1, avatarUrl: 'https://img.example/a.png' };

    const first = await post('/member/login', { code: await wxLogin({ openid }), ...profile });
    const second = await post('/member/login', { code: await wxLogin({ openid }), nickName: 'other' });

    expect(first.body).toMatchObject({
      code: 200,
      msg: 'ok',
      data: {
        user_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        username: '小明👨‍👩‍👧',
        avatar: 'https://img.example/a.png',
        sex: 1,
        is_new: true,
        token_type: 'Bearer',
        expires_in: 604_800,
      },
    });
    expect(second.body.data).toMatchObject({
      user_id: first.body.data.user_id,
      username: '小明👨‍👩‍👧',
      is_new: false,
    });
  });

  it('gives a token that says who, for whom and how long, and nothing of WeChat', async () => {
    const { token, user_id } = await logIn();

    const claims = decodeJwt(token);
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'RS256', typ: 'at+jwt', kid: expect.any(String) });
    expect(Object.keys(claims).sort()).toEqual(
      ['aud', 'auth_time', 'client_id', 'exp', 'iat', 'iss', 'jti', 'sid', 'sub'].sort(),
    );
    expect(claims).toMatchObject({ sub: user_id, aud: 'wechat-login', exp: (claims.iat ?? 0) + 604_800 });
  });

  it('reads forms, and answers without a profile', async () => {
    const code = await wxLogin();

    const answer = await call('/member/login', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ code, nickname: '表单', sex: '2' }).toString(),
    });

    expect(answer.body.data).toMatchObject({ username: '表单', sex: 2, avatar: '' });
  });

  it('stores the placeholder that WeChat hands out as an empty name', async () => {
    const answer = await post('/member/login', { code: await wxLogin(), nickName: '微信用户' });

    expect(answer.body.data.username).toBe('');
  });

  it('ignores an avatar that is not https, and still creates the profile', async () => {
    const answer = await post('/member/login', {
      code: await wxLogin(),
      nickName: '有名',
      avatarUrl: 'http://img.example/a.png',
    });

    expect(answer.body.data).toMatchObject({ username: '有名', avatar: '' });
  });
});

describe('a protected route', () => {
  it('answers the profile to the bearer of a token, in every spelling that mini-programs use', async () => {
    const { token, user_id } = await logIn({ nickname: '我' });

    for (const authorization of [`Bearer ${token}`, `bearer ${token}`, `JWT ${token}`, token]) {
      const answer = await call('/member/me', { headers: { authorization } });
      expect(answer.status).toBe(200);
      expect(answer.body.data).toMatchObject({ user_id, username: '我' });
    }
  });

  it('hears from the authorizer who is calling', async () => {
    const { token, user_id } = await logIn();
    const { jti, sid, exp, auth_time, client_id } = decodeJwt(token);

    const answer = await get('/whoami', token);

    expect(answer.body.data).toEqual({
      user_id,
      appid: client_id,
      jti,
      sid,
      auth_time: String(auth_time),
      expires_at: String(exp),
    });
  });

  it('refuses whoever has no valid token, in our envelope', async () => {
    const { token } = await logIn();
    const [header = '', claims = '', signature = ''] = token.split('.');
    const changed = signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const foreign = await new SignJWT(decodeJwt(token))
      .setProtectedHeader({ ...decodeProtectedHeader(token), alg: 'RS256' })
      .sign(privateKey);

    for (const authorization of [
      undefined,
      '',
      'Bearer',
      'Bearer ',
      'Basic dXNlcjpwYXNz',
      `Bearer ${header}.${claims}.${changed}`,
      `Bearer ${header}.${claims}.`,
      `Bearer ${keepSecret(foreign)}`,
      `Bearer ${token} ${token}`,
      `Bearer ${token},Bearer ${token}`,
      `Bearer ${randomUUID()}`,
      `Bearer ${'x'.repeat(5_000)}`,
    ]) {
      const answer = await call(
        '/member/me',
        authorization === undefined ? {} : { headers: { authorization } },
      );
      expect(answer.status).toBe(401);
      expect(answer.body).toMatchObject({
        code: 401,
        error: 'unauthorized',
        msg: '未登录或登录已失效 / Not logged in, or the login has ended',
      });
      expect(answer.body.data).toBeUndefined();
    }
  });
});

describe('the API', () => {
  it('tells its version and the age of its keys, without a token', async () => {
    const answer = await get('/health');

    expect(answer.status).toBe(200);
    expect(answer.body.data).toEqual({
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      key_age_seconds: expect.any(Number),
    });
  });

  it('answers an unknown path with 404 and an unknown method with 405, in the envelope', async () => {
    const unknown = await get('/member/nothing');
    const withText = await call('/member/login', { headers: { 'content-type': 'text/plain' } });
    const method = await call('/member/login', {
      method: 'PUT',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    });

    expect(unknown.body).toMatchObject({ code: 404, error: 'not_found' });
    expect(withText.body).toMatchObject({ code: 405, error: 'method_not_allowed' });
    expect(method.body).toMatchObject({ code: 405, error: 'method_not_allowed' });
    expect(method.headers.get('allow')).toBe('POST');
  });

  it('speaks English to whom prefers it', async () => {
    const chinese = await post('/member/login', {});
    const english = await post('/member/login', {}, { 'accept-language': 'en-US,en;q=0.9,zh;q=0.5' });

    expect(chinese.body.msg).toBe('缺少code');
    expect(english.body.msg).toBe('code is missing');
  });
});
