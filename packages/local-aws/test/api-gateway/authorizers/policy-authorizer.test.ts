import { request as httpRequest } from 'node:http';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { evaluatePolicy, parseAuthorizerResponse } from '../../../src/api-gateway/authorizers/policy.ts';
import { compileRestApi } from '../../../src/api-gateway/rest/api.ts';
import type { Json, JsonObject } from '../../../src/json.ts';
import type { Resource } from '../../../src/template/assembly.ts';
import { createResolver } from '../../../src/template/intrinsics.ts';
import {
  apiWith,
  authorizer,
  gatewayResponse,
  lambda,
  proxyTo,
  type ServedApi,
  serveApi,
  template,
} from '../../fixtures/assembly.ts';

const back =
  'export const handler = async (event) => ({ body: JSON.stringify(event.requestContext.authorizer) });';

/** Logs each call and does what the token says. */
const gatekeeper = `
export const handler = async (event) => {
  const token = event.headers.Authorization ?? event.headers.authorization ?? '';
  console.log('called ' + token);
  if (token === 'echo') return allow('*', { event: JSON.stringify(event) });
  if (token === 'unauthorized') throw new Error('Unauthorized');
  if (token === 'broken') throw new Error('no database');
  if (token === 'deny') return policy('Deny', '*', { reason: 'revoked' });
  if (token === 'only-a') return allow(event.methodArn);
  if (token.startsWith('{')) return JSON.parse(token);
  return allow(event.methodArn.split('/').slice(0, 2).join('/') + '/*', { user_id: token, age: 7, vip: true });
};
const policy = (Effect, Resource, context) => ({
  principalId: 'someone', context,
  policyDocument: { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect, Resource }] },
});
const allow = (Resource, context) => policy('Allow', Resource, context);
`;

const guarded = { AuthorizationType: 'CUSTOM', AuthorizerId: { Ref: 'Auth' }, Integration: proxyTo('Back') };

const serve = (
  properties: Resource['Properties'] = {},
  more: Record<string, Resource> = {},
): Promise<ServedApi> =>
  serveApi(
    {
      ...apiWith({ 'GET /a': guarded, 'GET /b/{id}': guarded }),
      Auth: authorizer('Gate', { AuthorizerResultTtlInSeconds: 0, ...properties }),
      ...more,
    },
    { Gate: gatekeeper, Back: back },
  );

const get = (url: string, token?: string) =>
  fetch(url, token === undefined ? {} : { headers: { Authorization: token } });

const json = async (response: Response) => (await response.json()) as JsonObject;

describe('an authorizer', () => {
  test('lets a call through; the back end sees its context as text', async () => {
    const { url } = await serve();

    const response = await get(`${url}/a`, 'anna');

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      principalId: 'someone',
      integrationLatency: expect.any(Number),
      user_id: 'anna',
      age: '7',
      vip: 'true',
    });
  });

  test('gets the request, with the ARN of the method that was called', async () => {
    const { url } = await serve();

    const seen = await json(await get(`${url}/b/1?x=1`, 'echo'));

    expect(JSON.parse(String(seen.event))).toMatchObject({
      type: 'REQUEST',
      methodArn: expect.stringMatching(
        /^arn:aws:execute-api:us-east-1:000000000000:[0-9a-z]{10}\/v1\/GET\/b\/1$/,
      ),
      resource: '/b/{id}',
      path: '/b/1',
      httpMethod: 'GET',
      headers: { Authorization: 'echo' },
      multiValueHeaders: { Authorization: ['echo'] },
      queryStringParameters: { x: '1' },
      pathParameters: { id: '1' },
      stageVariables: {},
      requestContext: { resourcePath: '/b/{id}', stage: 'v1' },
    });
  });

  test('sees both of two Authorization headers', async () => {
    const { url, lines } = await serve({ AuthorizerResultTtlInSeconds: 300 });
    const twice = (headers: string[]) =>
      new Promise<number>((resolve, reject) => {
        httpRequest(`${url}/a`, { headers: ['Host', 'example.test', ...headers] }, (response) => {
          response.resume().on('end', () => resolve(response.statusCode ?? 0));
        })
          .on('error', reject)
          .end();
      });

    await twice(['Authorization', 'anna']);
    await twice(['Authorization', 'eve', 'Authorization', 'anna']);

    expect(lines).toEqual(['called anna', 'called anna']);
  });

  test('is not called when the identity source is missing or empty', async () => {
    const { url, lines } = await serve();

    for (const response of [await get(`${url}/a`), await get(`${url}/a`, '')])
      expect([response.status, await response.json()]).toEqual([401, { message: 'Unauthorized' }]);
    expect(lines).toEqual([]);
  });

  test.each<[what: string, token: string, status: number, type: string]>([
    ['says Unauthorized', 'unauthorized', 401, 'UNAUTHORIZED'],
    ['fails otherwise', 'broken', 500, 'AUTHORIZER_FAILURE'],
    ['denies', 'deny', 403, 'ACCESS_DENIED'],
    ['returns nothing usable', '{}', 500, 'AUTHORIZER_CONFIGURATION_ERROR'],
    ['names no principal', '{"policyDocument":{"Statement":[]}}', 500, 'AUTHORIZER_CONFIGURATION_ERROR'],
    [
      'returns an object in its context',
      '{"principalId":"a","policyDocument":{"Statement":[]},"context":{"a":{}}}',
      500,
      'AUTHORIZER_CONFIGURATION_ERROR',
    ],
    ['allows nothing', '{"principalId":"a","policyDocument":{"Statement":[]}}', 403, 'ACCESS_DENIED'],
  ])('that %s refuses the call', async (_, token, status, type) => {
    const { url, records } = await serve();

    const response = await get(`${url}/a`, token);

    expect(response.status).toBe(status);
    expect(records.at(-1)).toMatchObject({ refusal: type, status });
  });

  test('can explain a denial through its context', async () => {
    const words = gatewayResponse('ACCESS_DENIED', {
      ResponseTemplates: {
        'application/json':
          '{"why":"$context.authorizer.reason","who":"$context.authorizer.principalId","m":$context.error.messageString}',
      },
    });
    const { url } = await serve({}, { Words: words });

    expect(await (await get(`${url}/a`, 'deny')).json()).toEqual({
      why: 'revoked',
      who: 'someone',
      m: 'User is not authorized to access this resource with an explicit deny',
    });
  });
});

describe("an authorizer's cache", () => {
  test('keeps a response for every route, and never for another token', async () => {
    const { url, lines } = await serve({ AuthorizerResultTtlInSeconds: 300 });

    for (const path of ['/a', '/b/1', '/a']) expect((await get(url + path, 'anna')).status).toBe(200);
    expect(await json(await get(`${url}/a`, 'ben'))).toMatchObject({ user_id: 'ben' });

    expect(lines).toEqual(['called anna', 'called ben']);
  });

  test('keeps the policy, not the decision: what allows one method only refuses the next', async () => {
    const { url, lines } = await serve({ AuthorizerResultTtlInSeconds: 300 });

    const statuses = [
      await get(`${url}/a`, 'only-a'),
      await get(`${url}/b/1`, 'only-a'),
      await get(`${url}/a`, 'only-a'),
    ];

    expect(statuses.map(({ status }) => status)).toEqual([200, 403, 200]);
    expect(lines).toHaveLength(1);
  });

  test('keeps a denial, but no failure', async () => {
    const { url, lines } = await serve({ AuthorizerResultTtlInSeconds: 300 });

    for (const token of ['deny', 'unauthorized', 'broken']) {
      await get(`${url}/a`, token);
      await get(`${url}/a`, token);
    }

    expect(lines.filter((line) => line.startsWith('called'))).toEqual([
      'called deny',
      'called unauthorized',
      'called unauthorized',
      'called broken',
      'called broken',
    ]);
  });

  test('forgets after its time', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const { url, lines } = await serve({ AuthorizerResultTtlInSeconds: 5 });

    await get(`${url}/a`, 'anna');
    await get(`${url}/a`, 'anna');
    vi.advanceTimersByTime(5_001);
    await get(`${url}/a`, 'anna');

    expect(lines).toHaveLength(2);
  });

  test('is off at 0, and 300 seconds when the template does not say', async () => {
    const off = await serve({ AuthorizerResultTtlInSeconds: 0 });
    const unsaid = await serve({ AuthorizerResultTtlInSeconds: { Ref: 'AWS::NoValue' } });

    for (const { url } of [off, unsaid, off, unsaid]) await get(`${url}/a`, 'anna');

    expect([off.lines.length, unsaid.lines.length]).toEqual([2, 1]);
  });

  test('has all identity sources for its key', async () => {
    const { url, lines } = await serve({
      AuthorizerResultTtlInSeconds: 300,
      IdentitySource:
        'method.request.header.Authorization, method.request.querystring.app, context.httpMethod',
    });

    for (const query of ['?app=1', '?app=2', '?app=1']) await get(`${url}/a${query}`, 'anna');

    expect(lines).toHaveLength(2);
    expect((await get(`${url}/a`, 'anna')).status).toBe(401);
  });

  test.each([
    [
      'a cache without identity source',
      { IdentitySource: { Ref: 'AWS::NoValue' }, AuthorizerResultTtlInSeconds: 60 },
      'needs an identity source',
    ],
    [
      'a path parameter',
      { IdentitySource: 'method.request.path.id' },
      'the identity source method.request.path.id is not supported',
    ],
  ])('cannot be deployed with %s', (_, properties, message) => {
    const resources = { ...apiWith({}), Gate: lambda('Gate'), Auth: authorizer('Gate', properties) };

    expect(() => compileRestApi(createResolver(template(resources)), () => Promise.reject(), {})).toThrow(
      message,
    );
  });
});

describe('a policy', () => {
  const arn = 'arn:aws:execute-api:us-east-1:000000000000:abc/v1/GET/member/me';
  const decide = (...statements: Json[]) => {
    const response = parseAuthorizerResponse({ principalId: 'a', policyDocument: { Statement: statements } });
    return response === undefined ? 'invalid' : evaluatePolicy(response, arn);
  };
  const statement = (Resource: Json, more: JsonObject = {}): Json => ({
    Action: 'execute-api:Invoke',
    Effect: 'Allow',
    Resource,
    ...more,
  });

  test.each<[what: string, statements: Json[], expected: string]>([
    ['the ARN itself', [statement(arn)], 'allow'],
    ['everything', [statement('*')], 'allow'],
    ['the whole stage', [statement('arn:aws:execute-api:us-east-1:000000000000:abc/v1/*')], 'allow'],
    ['a star in the middle', [statement('arn:aws:execute-api:*/v1/*/member/me')], 'allow'],
    ['question marks', [statement(arn.replace('GET', '???'))], 'allow'],
    ['one of a list', [statement(['arn:x', arn])], 'allow'],
    ['any action', [statement(arn, { Action: '*' })], 'allow'],
    ['an action in another case', [statement(arn, { Action: ['Execute-API:invoke'] })], 'allow'],
    ['a prefix only', [statement(arn.slice(0, -1))], 'implicit-deny'],
    ['too few question marks', [statement(arn.replace('GET', '??'))], 'implicit-deny'],
    ['a dot as a wildcard', [statement(arn.replace('GET', '...'))], 'implicit-deny'],
    ['another case', [statement(arn.replace('GET', 'get'))], 'implicit-deny'],
    ['another action', [statement(arn, { Action: 's3:GetObject' })], 'implicit-deny'],
    ['nothing', [], 'implicit-deny'],
    ['a deny beside an allow', [statement('*'), statement(arn, { Effect: 'Deny' })], 'explicit-deny'],
    ['a deny of something else', [statement('*'), statement('arn:x', { Effect: 'Deny' })], 'allow'],
    ['an effect in another case', [statement(arn, { Effect: 'allow' })], 'invalid'],
    ['a condition', [statement(arn, { Condition: {} })], 'invalid'],
    ['no resource', [{ Action: '*', Effect: 'Allow' }], 'invalid'],
    ['a resource over 512 characters', [statement(`${arn}${'*'.repeat(512)}`)], 'invalid'],
    ['a statement that is text', ['Allow'], 'invalid'],
  ])('with %s decides', (_, statements, expected) => {
    expect(decide(...statements)).toBe(expected);
  });
});
