import fs from 'node:fs';
import { JwtVerifier } from 'aws-jwt-verify';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { memberOf } from '../../functions/caller/member-of.ts';
import { createTestIssuer, type TestIssuer } from '../../testing/index.ts';
import { apiKinds } from '../fixtures/authorizer-events.ts';

let issuer: TestIssuer;
beforeAll(async () => {
  issuer = await createTestIssuer();
});
afterAll(() => issuer.close());

describe('a test issuer', () => {
  it('mints tokens that a standard verifier accepts by its address alone', async () => {
    const discovery = await fetch(`${issuer.issuer}/.well-known/openid-configuration`);
    const { jwks_uri, issuer: named } = (await discovery.json()) as Record<string, string>;
    const token = await issuer.token({ userId: 'user-7', appid: 'wx7', authTime: 1_700_000_000 });

    const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(jwks_uri ?? '')), {
      issuer: named ?? '',
      audience: 'wechat-login',
      typ: 'at+jwt',
    });

    expect(payload).toMatchObject({ sub: 'user-7', client_id: 'wx7', auth_time: 1_700_000_000 });
  });

  it('mints tokens for teams that verify with aws-jwt-verify', async () => {
    const verifier = JwtVerifier.create({ issuer: issuer.issuer, audience: issuer.audience });
    const jwks = (await (await fetch(issuer.jwksUrl)).json()) as Parameters<typeof verifier.cacheJwks>[0];
    verifier.cacheJwks(jwks);

    expect(verifier.verifySync(await issuer.token())).toMatchObject({ sub: 'test-user' });
    const forged = await issuer.forgedToken();
    expect(() => verifier.verifySync(forged)).toThrow('Invalid signature');
  });

  it('can stand in for the issuer that a deployed configuration names', async () => {
    const named = await createTestIssuer({ issuer: 'https://login.example.com', audience: 'orders' });

    expect(decodeJwt(await named.token())).toMatchObject({ iss: 'https://login.example.com', aud: 'orders' });
    await named.close();
  });

  it('serves nothing else, and no private key', async () => {
    expect((await fetch(`${issuer.issuer}/`)).status).toBe(404);
    const { keys } = (await (await fetch(issuer.jwksUrl)).json()) as { keys: object[] };
    expect(keys.map((key) => Object.keys(key).sort())).toEqual([['alg', 'e', 'kid', 'kty', 'n', 'use']]);
  });

  it('stops answering when it is closed', async () => {
    const other = await createTestIssuer();
    await other.close();

    await expect(fetch(other.jwksUrl)).rejects.toThrow();
  });
});

describe('the authorizer that other teams deploy', () => {
  const handlerFor = async (jwksUrl: string, httpResponse = 'simple', allowedAppids = '*') => {
    vi.resetModules();
    vi.spyOn(fs, 'writeSync').mockImplementation((_, chunk) => chunk.length);
    for (const [name, value] of Object.entries({
      POWERTOOLS_SERVICE_NAME: 'wechat-login-authorizer',
      TOKEN_ISSUER: issuer.issuer,
      TOKEN_AUDIENCE: issuer.audience,
      JWKS_URL: jwksUrl,
      HTTP_RESPONSE: httpResponse,
      ALLOWED_APPIDS: allowedAppids,
      CACHE_TTL_SECONDS: '300',
    }))
      vi.stubEnv(name, value);
    return (await import('../../functions/remote-authorizer.ts')).handler;
  };
  const decisionOf = (answer: object): unknown => {
    if ('isAuthorized' in answer) return answer.isAuthorized;
    return JSON.stringify(answer).includes('"Effect":"Allow"');
  };

  it.each(apiKinds)('lets the issuer’s tokens in behind $name, and no others', async (kind) => {
    const handler = await handlerFor(issuer.jwksUrl, kind.httpResponse);
    const ask = (token: string) => handler(kind.event(`Bearer ${token}`));

    const answer = await ask(await issuer.token({ userId: 'user-7' }));
    expect(decisionOf(answer)).toBe(true);
    const { context, resolverContext } = answer as { context?: object; resolverContext?: object };
    expect(memberOf({ identity: { resolverContext: context ?? resolverContext } }).userId).toBe('user-7');

    for (const token of [
      await issuer.forgedToken(),
      await issuer.token({ expiresIn: -10 }),
      await issuer.token({ audience: 'others' }),
    ]) {
      if (kind.throws) await expect(ask(token)).rejects.toThrow(/^Unauthorized$/);
      else expect(decisionOf(await ask(token))).toBe(false);
    }
  });

  it.each(apiKinds)(
    'denies good tokens of other mini-programs than the allowed ones behind $name, and says why where it can',
    async (kind) => {
      const handler = await handlerFor(issuer.jwksUrl, kind.httpResponse, 'wx1,wx2');
      const ask = async (appid: string) => handler(kind.event(`Bearer ${await issuer.token({ appid })}`));

      expect(decisionOf(await ask('wx2'))).toBe(true);
      const denied = await ask('wx3');
      expect(decisionOf(denied)).toBe(false);
      if ('context' in denied) expect(denied.context).toEqual({ error: 'forbidden' });
    },
  );

  it('says that it cannot tell while the issuer is away', async () => {
    const handler = await handlerFor('http://127.0.0.1:1/jwks.json');
    const [kind] = apiKinds;

    await expect(handler(kind?.event(`Bearer ${await issuer.token()}`) ?? {})).rejects.toThrow('No decision');
  });
});
