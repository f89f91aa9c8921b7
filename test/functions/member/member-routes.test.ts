import type { APIGatewayProxyEvent } from 'aws-lambda';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createMemberRoutes } from '../../../functions/member/member-routes.ts';
import type { User } from '../../../functions/users/user.ts';

const user: User = {
  userId: 'user-1',
  appid: 'wx1',
  openid: 'o-secret',
  unionid: 'u-secret',
  username: '小明',
  sex: 1,
  avatar: 'https://a.example/1.png',
  status: 'active',
  createdAt: 1_767_225_600,
  lastLoginAt: 1_767_225_661,
  phone: { e164: '+8613800138000', countryCode: '86', boundAt: 1_767_225_602, codeHash: 'hash-secret' },
};
const context = { user_id: 'user-1', appid: 'wx1', jti: 'j', sid: 's', auth_time: '1', expires_at: '2' };
const event = (authorizer: object | undefined): APIGatewayProxyEvent =>
  ({ requestContext: { authorizer } }) as unknown as APIGatewayProxyEvent;

const revocations = { endLogin: vi.fn(async () => {}), revokeAllTokens: vi.fn(async () => {}) };
beforeEach(() => vi.clearAllMocks());

const options = {
  users: { findUser: async (userId: string) => (userId === 'user-1' ? user : undefined) },
  revocations,
  signingKeyCreatedAt: async () => 1_000,
  version: '1.2.3',
  now: () => 1_090_000,
};
const routes = createMemberRoutes(options);

describe('GET /member/me', () => {
  it('GET /member/me gives the profile and nothing of WeChat', async () => {
    const answer = await routes['GET /member/me']?.(event(context), {});

    expect(answer).toEqual({
      user_id: 'user-1',
      username: '小明',
      avatar: 'https://a.example/1.png',
      sex: 1,
      phone: '+86 138******00',
      created_at: '2026-01-01T00:00:00.000Z',
      last_login_at: '2026-01-01T00:01:01.000Z',
    });
  });

  it('says null where no phone number is bound', async () => {
    const { phone: _, ...without } = user;
    const { 'GET /member/me': route } = createMemberRoutes({
      ...options,
      users: { findUser: async () => without },
    });

    expect(await route?.(event(context), {})).toMatchObject({ phone: null });
  });

  it('refuses the token of a user who is gone', async () => {
    const answer = routes['GET /member/me']?.(event({ ...context, user_id: 'user-2' }), {});

    await expect(answer).rejects.toMatchObject({ code: 'unauthorized' });
  });
});

describe('GET /whoami', () => {
  it("echoes the authorizer's context and leaves out what API Gateway adds", async () => {
    const answer = await routes['GET /whoami']?.(
      event({ ...context, principalId: 'p', integrationLatency: 3 }),
      {},
    );

    expect(answer).toEqual(context);
  });

  it.each([undefined, {}, { ...context, jti: undefined }, { ...context, auth_time: 5 }])(
    'takes a context of another shape (%j) for the bug it is',
    async (authorizer) => {
      await expect(routes['GET /whoami']?.(event(authorizer), {})).rejects.toBeInstanceOf(TypeError);
    },
  );
});

describe('GET /health', () => {
  it('GET /health tells the version and how old the signing key is', async () => {
    expect(await routes['GET /health']?.(event(undefined), {})).toEqual({
      version: '1.2.3',
      key_age_seconds: 90,
    });
  });
});

describe('POST /member/logout', () => {
  const logOut = (body: string | null, contentType?: string, caller: object = context) =>
    routes['POST /member/logout']?.(
      {
        ...event(caller),
        body,
        headers: contentType === undefined ? {} : { 'content-type': contentType },
      } as APIGatewayProxyEvent,
      {},
    );
  const form = 'application/x-www-form-urlencoded';

  it.each<[string | null, string?]>([
    [null],
    [''],
    ['{}'],
    ['{"all":false}'],
    ['{"other":1}'],
    ['all=false', form],
    ['other=1', form],
  ])('with the body %j ends this login', async (body, contentType) => {
    expect(await logOut(body, contentType)).toEqual({});

    expect(revocations.endLogin).toHaveBeenCalledExactlyOnceWith({ loginId: 's', authTime: 1 });
    expect(revocations.revokeAllTokens).not.toHaveBeenCalled();
  });

  it('ends the login of a token of before there were ids of logins, which stands for itself', async () => {
    const { sid: _, ...old } = context;

    await logOut(null, undefined, old);

    expect(revocations.endLogin).toHaveBeenCalledExactlyOnceWith({ loginId: 'j', authTime: 1 });
  });

  it.each<[string, string?]>([['{"all":true}'], ['{"all":"true"}'], ['all=true', form]])(
    'with the body %j revokes every token of the user',
    async (body, contentType) => {
      expect(await logOut(body, contentType)).toEqual({});

      expect(revocations.revokeAllTokens).toHaveBeenCalledExactlyOnceWith('user-1');
      expect(revocations.endLogin).not.toHaveBeenCalled();
    },
  );

  it.each<[string, string?]>([
    ['{"all":1}'],
    ['{"all":null}'],
    ['{"all":"yes"}'],
    ['{"all":[true]}'],
    ['{"all":{}}'],
    ['all=', form],
    ['all=1', form],
    ['all=true&all=false', form],
    ['[]'],
    ['{'],
  ])('with the body %j does nothing and says so', async (body, contentType) => {
    await expect(logOut(body, contentType)).rejects.toMatchObject({ code: 'invalid_request' });

    expect(revocations.endLogin).not.toHaveBeenCalled();
    expect(revocations.revokeAllTokens).not.toHaveBeenCalled();
  });
});
