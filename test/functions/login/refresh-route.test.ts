import type { APIGatewayProxyEvent } from 'aws-lambda';
import { beforeAll, describe, expect, it } from 'vitest';
import { createKeySource } from '../../../functions/keys/verification-keys.ts';
import { createRefreshRoute } from '../../../functions/login/refresh-route.ts';
import { createTokenMinter } from '../../../functions/tokens/mint.ts';
import { createTokenVerifier } from '../../../functions/tokens/verify.ts';
import { AUDIENCE, createTestKey, ISSUER, NOW, NOW_SECONDS, type TestKey } from '../../fixtures/tokens.ts';

const now = () => NOW;
const THIRTY_DAYS = 30 * 24 * 3600;

let key: TestKey;
beforeAll(async () => {
  key = await createTestKey();
});

function setUp(appids = ['wx1']) {
  const refresh = createRefreshRoute({
    tokens: createTokenMinter({
      signingKey: async () => key,
      ...{ issuer: ISSUER, audience: AUDIENCE, lifetimeSeconds: 604_800, now },
    }),
    appids,
    now,
  });
  const log = {};
  const call = (authTime: number, sid?: string) =>
    refresh(
      {
        requestContext: {
          authorizer: {
            user_id: 'user-1',
            appid: 'wx1',
            jti: 'old',
            auth_time: String(authTime),
            ...(sid !== undefined && { sid }),
            expires_at: String(NOW_SECONDS + 60),
          },
        },
      } as unknown as APIGatewayProxyEvent,
      log,
    ) as Promise<{ token: string }>;
  return { call, log };
}

async function verified(token: string) {
  const keys = createKeySource({ load: async () => key.jwks, now });
  return createTokenVerifier({ keys, issuer: ISSUER, audience: AUDIENCE, now }).verify(token);
}

describe('POST /member/refresh', () => {
  it('gives a token of the same user and login that lives as long as a new one', async () => {
    const { call, log } = setUp();

    const answer = await call(NOW_SECONDS - 1000, 'login-1');

    expect(answer).toEqual({
      user_id: 'user-1',
      token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 604_800,
    });
    expect(await verified(answer.token)).toMatchObject({
      userId: 'user-1',
      appid: 'wx1',
      jti: expect.not.stringMatching(/^old$/),
      sid: 'login-1',
      authTime: NOW_SECONDS - 1000,
      issuedAt: NOW_SECONDS,
      expiresAt: NOW_SECONDS + 604_800,
    });
    expect(log).toEqual({ user_id: 'user-1' });
  });

  it('takes a token of before there were logins for a login of its own', async () => {
    const { call } = setUp();

    expect(await verified((await call(NOW_SECONDS)).token)).toMatchObject({ sid: 'old' });
  });

  it('forbids a mini-program that is no longer served', async () => {
    const { call } = setUp(['wx2']);

    await expect(call(NOW_SECONDS)).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('a refresh works for thirty days after the login and not a second longer', async () => {
    const { call } = setUp();

    await expect(call(NOW_SECONDS - THIRTY_DAYS)).resolves.toHaveProperty('token');
    await expect(call(NOW_SECONDS - THIRTY_DAYS - 1)).rejects.toMatchObject({ code: 'unauthorized' });
  });
});
