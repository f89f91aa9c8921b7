import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, DynamoDBDocumentClient, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { decodeJwt } from 'jose';
import { afterAll, afterEach, describe, expect, inject, it } from 'vitest';
import { type Route, routes } from '../../functions/contracts/routes.ts';
import { openidGuardKey } from '../../functions/contracts/table.ts';
import { localIdentity } from '../fixtures/users-table.ts';
import {
  type Answer,
  breakWechat,
  call,
  expectCleanLogs,
  get,
  healWechat,
  logIn,
  newOpenid,
  post,
  wxLogin,
} from './service.ts';

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const logOut = (token: string, body: unknown = '') => post('/member/logout', body, bearer(token));
const refresh = (token: string) => post('/member/refresh', '', bearer(token));
const statusOf = async (token: string) => (await get('/member/me', token)).status;

const revoked = { code: 403, error: 'token_revoked', msg: expect.stringContaining('登录已失效') };
const banned = { code: 403, error: 'user_banned', msg: expect.stringContaining('账号已被封禁') };
const unauthorized = {
  code: 401,
  error: 'unauthorized',
  msg: '未登录或登录已失效 / Not logged in, or the login has ended',
};

const database = DynamoDBDocumentClient.from(
  new DynamoDBClient({ endpoint: inject('dynamodbEndpoint'), ...localIdentity }),
);
const inTable = (pk: string) => ({ TableName: inject('usersTable'), Key: { pk } });
const setUserStatus = (userId: string, status: string) =>
  database.send(
    new UpdateCommand({
      ...inTable(userId),
      UpdateExpression: 'SET #status = :status',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':status': status },
    }),
  );

afterEach(healWechat);
afterAll(() => {
  database.destroy();
  expectCleanLogs();
});

async function logInAs(openid: string): Promise<string> {
  return (await post('/member/login', { code: await wxLogin({ openid }) })).body.data.token;
}

describe('a logout', () => {
  it('ends its login for the very next request, with every token of it, and no other login', async () => {
    const openid = newOpenid();
    const [token, other] = [await logInAs(openid), await logInAs(openid)];
    const refreshed: string = (await refresh(token)).body.data.token;
    expect([await statusOf(token), await statusOf(refreshed)]).toEqual([200, 200]);

    const answer = await logOut(token);

    expect(answer.body).toMatchObject({ code: 200, msg: 'ok', data: {} });
    for (const denied of [
      await get('/member/me', token),
      await get('/whoami', refreshed),
      await refresh(token),
      await refresh(refreshed),
    ])
      expect(denied.body).toMatchObject(revoked);
    expect((await logOut(token)).body).toMatchObject(revoked);
    expect(await statusOf(other)).toBe(200);
  });

  it('of everything revokes every token of the user and nobody else, and a login works right after', async () => {
    const bystander = await logInAs(newOpenid());
    const rounds = Array.from({ length: 5 }, async (_, round) => {
      // Tokens are dated to the second: each round is in another part of one.
      await setTimeout(round * 200);
      const openid = newOpenid();
      const tokens = [await logInAs(openid), await logInAs(openid)];
      const [calling = ''] = tokens;
      const refreshed = (await refresh(calling)).body.data.token;

      const answer = await logOut(calling, { all: true });
      const afterwards = await logInAs(openid);

      expect(answer.status).toBe(200);
      for (const token of [...tokens, refreshed])
        expect((await get('/whoami', token)).body).toMatchObject(revoked);
      expect(await statusOf(afterwards), `round ${round}`).toBe(200);
    });

    await Promise.all(rounds);

    expect(await statusOf(bystander)).toBe(200);
  });

  it('understands forms, and refuses what it does not understand without logging anybody out', async () => {
    const { token } = await logIn();

    const refused = await logOut(token, { all: 'everything' });
    expect(refused.body).toMatchObject({
      code: 400,
      error: 'invalid_request',
      msg: expect.stringContaining('all'),
    });
    expect(await statusOf(token)).toBe(200);

    const form = { 'content-type': 'application/x-www-form-urlencoded', ...bearer(token) };
    expect((await post('/member/logout', 'all=true', form)).status).toBe(200);
    expect((await get('/member/me', token)).body).toMatchObject(revoked);
  });
});

describe('a refresh', () => {
  it('gives another token of the same login and leaves the old one valid', async () => {
    const { token, user_id } = await logIn();
    const login = decodeJwt(token);
    // A second later, so that the two times differ.
    while (Math.floor(Date.now() / 1000) <= (login.iat ?? 0)) await setTimeout(50);

    const answer = await refresh(token);

    expect(answer.body.data).toEqual({
      user_id,
      token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 604_800,
    });
    const renewed = decodeJwt(answer.body.data.token);
    expect(renewed).toMatchObject({
      ...{ sub: user_id, auth_time: login.auth_time, client_id: login.client_id, sid: login.sid },
    });
    expect(renewed.jti).not.toBe(login.jti);
    expect(renewed.exp).toBe((renewed.iat ?? 0) + 604_800);
    expect(renewed.iat).toBeGreaterThan(login.iat ?? Number.POSITIVE_INFINITY);
    expect([await statusOf(token), await statusOf(answer.body.data.token)]).toEqual([200, 200]);
  });

  it('that is repeated, or runs five times at once, logs nobody out', async () => {
    const { token } = await logIn();

    const answers = [
      await refresh(token),
      ...(await Promise.all(Array.from({ length: 5 }, () => refresh(token)))),
    ];

    const tokens = answers.map((answer) => answer.body.data.token as string);
    expect(new Set(tokens).size).toBe(6);
    expect(await Promise.all([token, ...tokens].map(statusOf))).toEqual(Array(7).fill(200));
  });

  it('can be repeated with what it answered', async () => {
    const { token } = await logIn();

    const second = (await refresh(token)).body.data.token;
    const third = await refresh(second);

    expect(decodeJwt(third.body.data.token).auth_time).toBe(decodeJwt(token).auth_time);
  });
});

describe('a code that arrives again', () => {
  const logInWith = (code: string) => post('/member/login', { code });
  const used = { code: 401, error: 'code_used' };

  it('gives a token of the login that it began', async () => {
    const code = await wxLogin();
    const first = decodeJwt((await logInWith(code)).body.data.token);

    const again = decodeJwt((await logInWith(code)).body.data.token);

    expect(again).toMatchObject({ sub: first.sub, sid: first.sid, auth_time: first.auth_time });
  });

  it.each([
    ['this login', {}],
    ['every login', { all: true }],
  ])('opens nothing after a logout that ended %s', async (_, body) => {
    const code = await wxLogin();
    const { token } = (await logInWith(code)).body.data;

    await logOut(token, body);

    expect((await logInWith(code)).body).toMatchObject(used);
  });

  it('makes the user whom its first request failed to make, whichever errcode WeChat gives it', async () => {
    const openid = newOpenid();
    const code = await wxLogin({ openid });
    const guard = { pk: openidGuardKey(inject('miniPrograms')[0].appid, openid), user_id: 'nobody' };
    await database.send(new PutCommand({ TableName: inject('usersTable'), Item: guard }));
    expect((await logInWith(code)).body).toMatchObject({ code: 503, error: 'unavailable' });
    await database.send(new DeleteCommand(inTable(guard.pk)));

    await breakWechat({ fault: 'errcode', errcode: 40029, times: 1 });
    const made = await logInWith(code);
    const found = await logInWith(code);

    expect(made.body.data).toMatchObject({ is_new: true });
    expect(found.body.data).toMatchObject({ is_new: false, user_id: made.body.data.user_id });
  });
});

it('neither works without a token', async () => {
  for (const path of ['/member/refresh', '/member/logout'])
    expect((await post(path, '')).body).toMatchObject(unauthorized);
});

describe('a banned or erased user', () => {
  it('is refused at the very next request, with the reason; an unbanned one comes back', async () => {
    const { token, user_id } = await logIn();
    expect(await statusOf(token)).toBe(200);

    await setUserStatus(user_id, 'banned');
    const answers: Answer[] = [];
    for (const { method, path } of (routes as readonly Route[]).filter(({ auth }) => auth === 'token'))
      answers.push(await call(path, { method, headers: bearer(token) }));
    await setUserStatus(user_id, 'active');

    for (const { body } of answers) {
      expect(body).toMatchObject(banned);
      expect(body.data).toBeUndefined();
    }
    expect(await statusOf(token)).toBe(200);
  });

  it('has no valid token left once erased', async () => {
    const { token, user_id } = await logIn();
    const refreshed = (await refresh(token)).body.data.token;

    await database.send(new DeleteCommand(inTable(user_id)));

    for (const answer of [
      await get('/whoami', token),
      await get('/member/me', refreshed),
      await refresh(token),
    ])
      expect(answer.body).toMatchObject(revoked);
  });
});
