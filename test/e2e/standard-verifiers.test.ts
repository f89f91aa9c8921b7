import { JwtVerifier } from 'aws-jwt-verify';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { allowInsecureRequests, discovery } from 'openid-client';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { call, expectCleanLogs, logIn, post } from './service.ts';

afterAll(expectCleanLogs);

const audience = 'wechat-login';

/** Fetches one of the two documents, which are not in the envelope. */
async function fetchDocument(path: string): Promise<{ headers: Headers; body: Record<string, unknown> }> {
  const response = await fetch(inject('baseUrl') + path);
  expect(response.status).toBe(200);
  return { headers: response.headers, body: (await response.json()) as Record<string, unknown> };
}

describe('the public documents', () => {
  it('name the issuer of the tokens, their keys and their claims', async () => {
    const { token } = await logIn();
    const { headers, body } = await fetchDocument('/.well-known/openid-configuration');

    const claims = decodeJwt(token);
    expect(body).toEqual({
      issuer: claims.iss,
      jwks_uri: `${claims.iss}/.well-known/jwks.json`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      claims_supported: expect.anything(),
    });
    expect((body.claims_supported as string[]).toSorted()).toEqual(Object.keys(claims).toSorted());
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('cache-control')).toBe('public, max-age=3600');
  });

  it('hold the public members of the keys and no other', async () => {
    const { headers, body } = await fetchDocument('/.well-known/jwks.json');

    const keys = body.keys as object[];
    expect(Object.keys(body)).toEqual(['keys']);
    expect(keys).toHaveLength(2);
    for (const key of keys) expect(Object.keys(key)).toEqual(['kid', 'alg', 'use', 'kty', 'n', 'e']);
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('cache-control')).toBe('public, max-age=300');
  });

  it('can be read and nothing else, whatever a client sends along', async () => {
    for (const path of ['/.well-known/openid-configuration', '/.well-known/jwks.json']) {
      for (const method of ['POST', 'PUT', 'DELETE']) {
        const answer = await call(path, { method, headers: { 'content-type': 'application/json' } });
        expect(answer.body).toMatchObject({ code: 405, error: 'method_not_allowed' });
        expect(answer.headers.get('allow')).toBe('GET, HEAD');
      }
      const odd = await call(path, { headers: { 'content-type': 'application/x-amz-json-1.0' } });
      expect(odd.body).toMatchObject({ code: 415, error: 'unsupported_media_type' });
    }
    // What an HTTP client may say that it sends, though it sends nothing.
    for (const type of [
      ...['application/json; charset=utf-8', 'application/octet-stream', 'application/x-www-form-urlencoded'],
      ...['application/xml', 'multipart/form-data', 'text/html', 'text/plain', 'text/xml'],
    ]) {
      const paths = ['/.well-known/openid-configuration', '/.well-known/jwks.json', '/nowhere'];
      const statuses = paths.map((path) =>
        fetch(inject('baseUrl') + path, { headers: { 'content-type': type } }).then(({ status }) => status),
      );
      expect([type, ...(await Promise.all(statuses))]).toEqual([type, 200, 200, 404]);
    }
    const posted = await post('/.well-known/jwks.json', { TableName: 'x', Key: { pk: { S: 'y' } } });
    expect(posted.status).toBe(405);
  });
});

describe('a standard verifier that knows nothing but the issuer', () => {
  // Each of them insists on https; on loopback there is none, so each is told by its own means.

  it('aws-jwt-verify accepts a token, and refuses it for another audience or with a changed claim', async () => {
    const { token, user_id } = await logIn();
    const issuer = inject('baseUrl');
    const fetcher = { fetch: async (uri: string) => (await fetch(uri)).arrayBuffer() };
    const verifier = (forAudience: string) =>
      JwtVerifier.create({ issuer, audience: forAudience }, { jwksCache: new SimpleJwksCache({ fetcher }) });

    const claims = await verifier(audience).verify(token);

    expect(claims.sub).toBe(user_id);
    await expect(verifier('another').verify(token)).rejects.toThrow('Audience not allowed');
    await expect(verifier(audience).verify(withOtherSubject(token))).rejects.toThrow('Invalid signature');
  });

  it('openid-client discovers the issuer, and jose verifies with the keys it names', async () => {
    const { token, user_id } = await logIn();
    const issuer = inject('baseUrl');
    const execute = [allowInsecureRequests];

    const server = (
      await discovery(new URL(issuer), 'any', undefined, undefined, { execute })
    ).serverMetadata();
    const keys = createRemoteJWKSet(new URL(server.jwks_uri ?? ''));
    const rules = {
      issuer: server.issuer,
      audience,
      typ: 'at+jwt',
      algorithms: server.id_token_signing_alg_values_supported ?? [],
    };
    const { payload } = await jwtVerify(token, keys, rules);

    expect(payload.sub).toBe(user_id);
    await expect(jwtVerify(withOtherSubject(token), keys, rules)).rejects.toThrow('signature');
    await expect(jwtVerify(token, keys, { ...rules, issuer: `${issuer}/` })).rejects.toThrow('"iss"');
  });
});

function withOtherSubject(token: string): string {
  const [header, , signature] = token.split('.');
  const claims = Buffer.from(JSON.stringify({ ...decodeJwt(token), sub: 'somebody-else' }));
  return `${header}.${claims.toString('base64url')}.${signature}`;
}
