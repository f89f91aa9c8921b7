import { describe, expect, test, vi } from 'vitest';
import type { Resource } from '../../../../src/template/assembly.ts';
import { apiV2, serveStack } from '../../../fixtures/apis-v2.ts';
import type { Resources } from '../../../fixtures/assembly.ts';
import { type Signature, startIssuer, type TestIssuer } from '../../../fixtures/issuer.ts';

const back = 'export const handler = async ({ requestContext }) => requestContext.authorizer;';
const guarded = { AuthorizationType: 'JWT', AuthorizerId: { Ref: 'Jwt' } };

const jwtAuthorizer = (issuer: string, properties: Resource['Properties'] = {}): Resources => ({
  Jwt: {
    Type: 'AWS::ApiGatewayV2::Authorizer',
    Properties: {
      ApiId: { Ref: 'Http' },
      AuthorizerType: 'JWT',
      IdentitySource: ['$request.header.Authorization'],
      JwtConfiguration: { Audience: ['orders', 'stock'], Issuer: issuer },
      Name: 'jwt',
      ...properties,
    },
  },
});

const serve = async (issuer: TestIssuer) => {
  const stack = await serveStack(
    { ...apiV2('HTTP', { 'GET /a': { to: 'Back', route: guarded } }), ...jwtAuthorizer(issuer.url) },
    { Back: back },
  );
  // What the creation of the authorizer has read.
  expect(issuer.requested.splice(0)).toEqual(['/.well-known/openid-configuration']);
  return (authorization?: string) =>
    fetch(`${stack.urls.Http}/a`, authorization === undefined ? {} : { headers: { authorization } });
};

describe('a JWT authorizer', () => {
  test('lets a valid token in; its claims arrive as text', async () => {
    const issuer = await startIssuer();
    const get = await serve(issuer);
    const claims = { exp: 4_102_444_800, iat: 1_700_000_000, vip: true, groups: ['a', 'b'] };

    const response = await get(`Bearer ${await issuer.sign(claims)}`);

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      jwt: {
        claims: {
          iss: issuer.url,
          aud: 'orders',
          sub: 'u-1',
          exp: '4102444800',
          iat: '1700000000',
          vip: 'true',
          groups: '[a b]',
        },
        scopes: null,
      },
    });
  });

  test.each<[what: string, claims: Record<string, unknown>]>([
    ['another audience of the list', { aud: 'stock' }],
    ['several audiences', { aud: ['other', 'orders'] }],
    ['no audience but a client_id of the list', { aud: undefined, client_id: 'orders' }],
    ['a begun validity', { nbf: 1_700_000_000 }],
    ['no time of issue', { iat: undefined }],
  ])('accepts %s', async (_, claims) => {
    const issuer = await startIssuer();
    const get = await serve(issuer);

    expect((await get(`Bearer ${await issuer.sign(claims)}`)).status).toBe(200);
  });

  test('accepts the token without a scheme, but no other scheme than Bearer', async () => {
    const issuer = await startIssuer();
    const get = await serve(issuer);
    const token = await issuer.sign();

    expect((await get(token)).status).toBe(200);
    expect((await get(`JWT ${token}`)).status).toBe(401);
  });

  const soon = Math.floor(Date.now() / 1000) + 600;
  test.each<[what: string, reason: string, claims: Record<string, unknown>, signature?: Signature]>([
    ['is expired', 'the token has expired', { exp: 1_700_000_000 }],
    ['never expires', 'the claim exp is not valid', { exp: undefined }],
    ['is not valid yet', 'the claim nbf is not valid', { nbf: soon }],
    ['was issued in the future', 'the token is used before it was issued', { iat: soon }],
    ['is of another issuer', 'the claim iss is not valid', { iss: 'https://evil.example' }],
    ['is for somebody else', 'the token does not have a valid audience', { aud: 'other' }],
    [
      'names the audience as its client only',
      'the token does not have a valid audience',
      { aud: 'other', client_id: 'orders' },
    ],
    ['is signed with another key', 'the token is not valid', {}, { key: 'evil' }],
    [
      'names an unknown key',
      'no key of the issuer has the kid of the token',
      {},
      { header: { kid: 'evil' } },
    ],
    ['names no key', 'no key of the issuer has the kid of the token', {}, { header: { kid: undefined } }],
    ['is signed with PS256', 'the token is not valid', {}, { header: { alg: 'PS256' } }],
    ['is signed with ES256', 'the token is not valid', {}, { header: { alg: 'ES256' } }],
  ])('refuses a token that %s', async (_, reason, claims, signature) => {
    const issuer = await startIssuer();
    const get = await serve(issuer);

    const response = await get(`Bearer ${await issuer.sign(claims, signature)}`);

    expect([response.status, await response.json()]).toEqual([401, { message: 'Unauthorized' }]);
    expect(response.headers.get('www-authenticate')).toBe(
      `Bearer scope="" error="invalid_token" error_description="${reason}"`,
    );
  });

  test('refuses what is no token, and challenges a request without one', async () => {
    const issuer = await startIssuer();
    const get = await serve(issuer);
    const unsigned = `${Buffer.from('{"alg":"none","kid":"main"}').toString('base64url')}.e30.`;

    for (const header of ['x', 'Bearer', 'Bearer a.b.c', `Bearer ${unsigned}`])
      expect((await get(header)).status, header).toBe(401);
    expect((await get()).headers.get('www-authenticate')).toBe('Bearer');
    expect(issuer.requested).toEqual([]);
  });

  test('trusts RSA keys only', async () => {
    const issuer = await startIssuer();
    const key = { ...(await issuer.publicKey('curve', 'ES256')), kid: 'main' };
    issuer.responses['/keys'] = (response) => void response.end(JSON.stringify({ keys: [key] }));
    const get = await serve(issuer);

    expect((await get(await issuer.sign())).status).toBe(401);
  });
});

describe('the keys of an issuer', () => {
  test('are fetched once for two hours, through the discovery document', async () => {
    const issuer = await startIssuer();
    const get = await serve(issuer);
    const bearer = `Bearer ${await issuer.sign({ exp: Math.floor(Date.now() / 1000) + 3 * 3600 })}`;
    const discovery = ['/.well-known/openid-configuration', '/keys'];

    await Promise.all([get(bearer), get(bearer)]);
    await get(`Bearer ${await issuer.sign({}, { header: { kid: 'other' } })}`);
    expect(issuer.requested).toEqual(discovery);

    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * 3600 * 1000 + 1000 });
    const later = await get(bearer);
    vi.useRealTimers();

    expect(later.status).toBe(200);
    expect(issuer.requested).toEqual([...discovery, ...discovery]);
  });

  test.each<[what: string, path: string, returned: TestIssuer['responses'][string]]>([
    [
      'the discovery document is missing',
      '/.well-known/openid-configuration',
      (response) => void response.writeHead(404).end(),
    ],
    [
      'the discovery document is no JSON',
      '/.well-known/openid-configuration',
      (response) => void response.end('<html>'),
    ],
    [
      'the discovery document names no keys',
      '/.well-known/openid-configuration',
      (response) => void response.end('{}'),
    ],
    ['the key set takes longer than 1.5 seconds', '/keys', () => {}],
    [
      'the key set is larger than 150,000 bytes',
      '/keys',
      (response) => void response.end(JSON.stringify({ keys: [], pad: 'x'.repeat(150_000) })),
    ],
    ['the key set is none', '/keys', (response) => void response.end('{"keys":1}')],
  ])('cannot be fetched when %s; the next request tries again', async (_, path, returned) => {
    const issuer = await startIssuer();
    const get = await serve(issuer);
    const right = issuer.responses[path];
    issuer.responses[path] = returned;
    const bearer = `Bearer ${await issuer.sign()}`;

    const refused = await get(bearer);
    if (right !== undefined) issuer.responses[path] = right;

    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toContain('OIDC discovery endpoint communication error');
    expect((await get(bearer)).status).toBe(200);
  });
});

describe('a JWT authorizer is refused at start, by name, with', () => {
  test.each<[what: string, properties: Resource['Properties'], message: string]>([
    ['no audience', { JwtConfiguration: { Issuer: 'https://a' } }, 'has an Issuer and an Audience'],
    ['no issuer', { JwtConfiguration: { Audience: ['a'] } }, 'has an Issuer and an Audience'],
    [
      'two identity sources',
      { IdentitySource: ['$request.header.A', '$request.header.B'] },
      'exactly one identity source',
    ],
    ['a cache', { AuthorizerResultTtlInSeconds: 60 }, 'Jwt.AuthorizerResultTtlInSeconds'],
    [
      'an issuer that cannot be reached',
      { JwtConfiguration: { Issuer: 'http://127.0.0.1:2', Audience: ['a'] } },
      'Jwt: the discovery document of the issuer http://127.0.0.1:2 cannot be read, without which API Gateway makes no JWT authorizer.',
    ],
    ['the wrong type', { AuthorizerType: 'REQUEST' }, 'JWT needs an authorizer of type JWT'],
  ])('%s', async (_, properties, message) => {
    const resources = {
      ...apiV2('HTTP', { 'GET /a': { to: 'Back', route: guarded } }),
      ...jwtAuthorizer('https://a', properties),
    };

    await expect(serveStack(resources, { Back: back })).rejects.toThrow(message);
  });
});
