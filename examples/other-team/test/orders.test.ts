/** Tests a protected route with real tokens, of an issuer that runs in the test itself. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { createTestIssuer } from 'wechat-login/testing';
import { handler } from '../functions/orders.ts';

const issuer = await createTestIssuer();
after(() => issuer.close());

const keys = createRemoteJWKSet(new URL(issuer.jwksUrl));

/** What an HTTP API does with a token: checks it, and hands its claims over as text. */
async function eventWith(token: string) {
  const { payload } = await jwtVerify(token, keys, { issuer: issuer.issuer, audience: issuer.audience });
  const claims = Object.fromEntries(Object.entries(payload).map(([name, value]) => [name, String(value)]));
  return { requestContext: { authorizer: { jwt: { claims } } } };
}

test('a member sees their own orders', async () => {
  const event = await eventWith(await issuer.token({ userId: 'user-7' }));

  const { statusCode, body } = await handler(event);

  assert.equal(statusCode, 200);
  assert.equal(JSON.parse(body).user_id, 'user-7');
});

test('a token that has ended, is forged, or is meant for others opens nothing', async () => {
  await assert.rejects(eventWith(await issuer.token({ expiresIn: -60 })), { code: 'ERR_JWT_EXPIRED' });
  await assert.rejects(eventWith(await issuer.forgedToken()), {
    code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  });
  await assert.rejects(eventWith(await issuer.token({ audience: 'others' })), {
    code: 'ERR_JWT_CLAIM_VALIDATION_FAILED',
  });
});

test('a route that somebody forgot to protect fails instead of answering', async () => {
  await assert.rejects(handler({ requestContext: {} }), TypeError);
});
