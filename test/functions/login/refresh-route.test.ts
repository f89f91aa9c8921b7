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

function setUp() {
  const refresh = createRefreshRoute({
    tokens: createTokenMinter({
      signingKey: async () => key,
      ...{ issuer: ISSUER, audience: AUDIENCE, lifetimeSeconds: 604_800, now },
    }),
    now,
  });
  const log = {};
  const call = (authTime: number) =>
    refresh(
      {
        requestContext: {
          authorizer: {
            user_id: 'user-1',
            appid: 'wx1',
            jti: 'old',
            auth_time: String(authTime),
            expires_at: String(NOW_SECONDS + 60),
          },
        },
      } as unknown as APIGatewayProxyEvent,
      log,
    ) as Promise<{ token: string }>;
  return { call, log };
}

describe('POST /member/refresh', () => {
  it('gives a token of the same user and login that lives as long as a new one', async () => {
    const { call, log } = setUp();

    const answer = await call(NOW_SECONDS - 1000);

    const keys = createKeySource({ load: async () => key.jwks, now });
    const verifier = createTokenVerifier({ keys, issuer: ISSUER, audience: AUDIENCE, now });
    expect(answer).toEqual({
      user_id: 'user-1',
      token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 604_800,
    });
    expect(await verifier.verify(answer.token)).toMatchObject({
      userId: 'user-1',
      appid: 'wx1',
      jti: expect.not.stringMatching(/^old$/),
      authTime: NOW_SECONDS - 1000,
      issuedAt: NOW_SECONDS,
      expiresAt: NOW_SECONDS + 604_800,
    });
    expect(log).toEqual({ user_id: 'user-1' });
  });

  it('a refresh works for thirty days after the login and not a second longer', async () => {
    const { call } = setUp();

    await expect(call(NOW_SECONDS - THIRTY_DAYS)).resolves.toHaveProperty('token');
    await expect(call(NOW_SECONDS - THIRTY_DAYS - 1)).rejects.toMatchObject({ code: 'unauthorized' });
  });
});
