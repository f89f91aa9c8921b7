import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Json, JsonObject } from '../../../../src/json.ts';
import type { Resource } from '../../../../src/template/assembly.ts';
import { apiV2, guarded, requestAuthorizer, serveStack } from '../../../fixtures/apis-v2.ts';
import { permission, type Resources } from '../../../fixtures/assembly.ts';

const echo = 'export const handler = async (event) => event;';
const parrot = 'export const handler = async ({ body }) => JSON.parse(body);';
const v1 = { PayloadFormatVersion: '1.0' };

const serveHttp = async (
  routes: Parameters<typeof apiV2>[1],
  more: Resources = {},
  sources: Readonly<Record<string, string>> = { Fn: echo },
) => {
  const stack = await serveStack({ ...apiV2('HTTP', routes), ...more }, sources);
  return { ...stack, url: stack.urls.Http ?? '' };
};

const json = async (response: Response) => (await response.json()) as JsonObject;

describe('the event of an HTTP API', () => {
  test('in format 2.0 has every member that has a value, and no other', async () => {
    const { url } = await serveHttp({ 'PUT /orders/{id}': { to: 'Fn' } });

    const response = await fetch(`${url}/orders/a%20b?x=1&x=2&y=%E5%BE%AE`, {
      method: 'PUT',
      headers: {
        'Content-Type': 'application/json',
        Cookie: 'a=1; b=2',
        'X-Custom': 'One',
        'User-Agent': 'demo',
      },
      body: '{"名":1}',
    });
    const event = await json(response);

    expect(event).toEqual({
      version: '2.0',
      routeKey: 'PUT /orders/{id}',
      rawPath: '/orders/a%20b',
      rawQueryString: 'x=1&x=2&y=%E5%BE%AE',
      cookies: ['a=1', 'b=2'],
      headers: expect.objectContaining({ 'content-type': 'application/json', 'x-custom': 'One' }),
      queryStringParameters: { x: '1,2', y: '微' },
      pathParameters: { id: 'a b' },
      requestContext: {
        accountId: '000000000000',
        apiId: expect.stringMatching(/^[0-9a-z]{10}$/),
        domainName: new URL(url).host,
        domainPrefix: '127',
        http: {
          method: 'PUT',
          path: '/orders/a%20b',
          protocol: 'HTTP/1.1',
          sourceIp: '127.0.0.1',
          userAgent: 'demo',
        },
        requestId: response.headers.get('apigw-requestid'),
        routeKey: 'PUT /orders/{id}',
        stage: '$default',
        time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
        timeEpoch: expect.any(Number),
      },
      body: '{"名":1}',
      isBase64Encoded: false,
    });
    expect(Object.keys(event.headers as JsonObject)).not.toContain('cookie');
    expect(Object.keys(await json(await fetch(`${url}/orders/1`, { method: 'PUT' }))).toSorted()).toEqual([
      'headers',
      'isBase64Encoded',
      'pathParameters',
      'rawPath',
      'rawQueryString',
      'requestContext',
      'routeKey',
      'version',
    ]);
  });

  test('carries the stage variables, and a body that is not text base64-encoded', async () => {
    const { url } = await serveHttp(
      { 'POST /a': { to: 'Fn' } },
      {
        HttpStage: {
          Type: 'AWS::ApiGatewayV2::Stage',
          Properties: { ApiId: { Ref: 'Http' }, StageName: '$default', StageVariables: { colour: 'red' } },
        },
      },
    );

    const event = await json(
      await fetch(`${url}/a`, {
        method: 'POST',
        body: new Uint8Array([0xff, 0]),
        headers: { 'Content-Type': 'image/png' },
      }),
    );

    expect(event).toMatchObject({ body: '/wA=', isBase64Encoded: true, stageVariables: { colour: 'red' } });
  });

  test('in format 1.0 is that of a REST API, with its version', async () => {
    const back =
      'export const handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });';
    const { url } = await serveHttp({ 'GET /orders/{id}': { to: 'Fn', integration: v1 } }, {}, { Fn: back });

    const event = await json(await fetch(`${url}/orders/1?x=1&x=2`, { headers: { 'X-Custom': 'One' } }));

    expect(event).toMatchObject({
      version: '1.0',
      resource: '/orders/{id}',
      path: '/orders/1',
      httpMethod: 'GET',
      queryStringParameters: { x: '2' },
      multiValueQueryStringParameters: { x: ['1', '2'] },
      pathParameters: { id: '1' },
      stageVariables: null,
      requestContext: { authorizer: { claims: null, scopes: null }, stage: '$default' },
      body: null,
      isBase64Encoded: false,
    });
  });
});

describe('what a function behind an HTTP API returns', () => {
  test.each<[what: string, returned: Json, status: number, type: string, body: string]>([
    ['an object without a status is a 200 of JSON', { a: 1 }, 200, 'application/json', '{"a":1}'],
    ['text is its own body', 'hello', 200, 'application/json', 'hello'],
    ['a list is JSON', [1, 2], 200, 'application/json', '[1,2]'],
    [
      'with a status it is a response',
      { statusCode: 201, body: 'made' },
      201,
      'text/plain;charset=UTF-8',
      'made',
    ],
    [
      'its headers count',
      { statusCode: 200, headers: { 'content-type': 'text/html' }, body: '<p>' },
      200,
      'text/html',
      '<p>',
    ],
    [
      'base64 is decoded',
      { statusCode: 200, body: 'aGk=', isBase64Encoded: true },
      200,
      'text/plain;charset=UTF-8',
      'hi',
    ],
    [
      'a status that is none is a 500',
      { statusCode: 'x' },
      500,
      'application/json',
      '{"message":"Internal Server Error"}',
    ],
    [
      'a body that is no text is a 500',
      { statusCode: 200, body: {} },
      500,
      'application/json',
      '{"message":"Internal Server Error"}',
    ],
  ])('in format 2.0: %s', async (_, returned, status, type, body) => {
    const { url } = await serveHttp({ 'POST /a': { to: 'Fn' } }, {}, { Fn: parrot });

    const response = await fetch(`${url}/a`, { method: 'POST', body: JSON.stringify(returned) });

    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      status,
      type,
      body,
    ]);
  });

  test('sets several cookies', async () => {
    const { url } = await serveHttp({ 'POST /a': { to: 'Fn' } }, {}, { Fn: parrot });

    const response = await fetch(`${url}/a`, {
      method: 'POST',
      body: '{"statusCode":204,"cookies":["a=1","b=2"]}',
    });

    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  test('in format 1.0 needs a status', async () => {
    const { url } = await serveHttp({ 'POST /a': { to: 'Fn', integration: v1 } }, {}, { Fn: parrot });
    const statusOf = async (body: string) => (await fetch(`${url}/a`, { method: 'POST', body })).status;

    expect([await statusOf('{"body":"x"}'), await statusOf('{"statusCode":202}')]).toEqual([500, 202]);
  });

  test('is a 500 when it throws, and a 503 when it takes too long', async () => {
    const { url, records } = await serveHttp(
      { 'GET /throws': { to: 'Fn' }, 'GET /hangs': { to: 'Slow', integration: { TimeoutInMillis: 100 } } },
      {},
      {
        Fn: 'export const handler = async () => { throw new Error("no"); };',
        Slow: 'export const handler = () => new Promise((r) => setTimeout(r, 2_000));',
      },
    );

    const [threw, hung] = [await fetch(`${url}/throws`), await fetch(`${url}/hangs`)];

    expect([threw.status, await threw.json()]).toEqual([500, { message: 'Internal Server Error' }]);
    expect([hung.status, await hung.json()]).toEqual([503, { message: 'Service Unavailable' }]);
    expect(records.map(({ refusal }) => refusal)).toEqual(['DEFAULT_5XX', 'INTEGRATION_TIMEOUT']);
  });
});

describe('the routes of an HTTP API', () => {
  test('prefer fixed paths to parameters, methods to ANY, and all to $default', async () => {
    const keys = ['GET /a/b', 'GET /a/{id}', 'ANY /a/{id}', 'ANY /a/{rest+}', '$default'];
    const { url } = await serveHttp(Object.fromEntries(keys.map((key) => [key, { to: 'Fn' }])));
    const routeOf = async (path: string, method = 'GET') =>
      (await json(await fetch(url + path, { method }))).routeKey;

    expect(
      await Promise.all([
        routeOf('/a/b'),
        routeOf('/a/c'),
        routeOf('/a/b', 'PUT'),
        routeOf('/a/b/c'),
        routeOf('/x'),
      ]),
    ).toEqual(keys);
  });

  test('respond with 404 where there is none', async () => {
    const { url } = await serveHttp({ 'GET /a': { to: 'Fn' } });

    for (const response of [await fetch(`${url}/b`), await fetch(`${url}/a`, { method: 'POST' })])
      expect([response.status, await response.json()]).toEqual([404, { message: 'Not Found' }]);
  });

  test('respond with 500 when no permission lets this route invoke its function, and the record says so', async () => {
    const { url, records } = await serveHttp(
      { 'GET /a': { to: 'Fn' }, 'GET /b': { to: 'Fn' } },
      { HttpFnPermission: permission('Fn', 'Http', '*/*/a') },
    );

    expect([(await fetch(`${url}/a`)).status, (await fetch(`${url}/b`)).status]).toEqual([200, 500]);
    expect(records.at(-1)?.fault).toMatch(
      /No AWS::Lambda::Permission lets apigateway\.amazonaws\.com invoke .*\/\$default\/GET\/b/,
    );
  });
});

/** Logs each call and does what the token says. */
const gate = `
export const handler = async (event) => {
  const token = event.headers.authorization ?? event.headers.Authorization;
  console.log('called ' + token);
  if (token === 'echo') return { isAuthorized: true, context: { event } };
  if (token === 'echo-policy') return policy('Allow', '*', { event: JSON.stringify(event) });
  if (token === 'throws') throw new Error('Unauthorized');
  if (token === 'only-this') return policy('Allow', event.routeArn ?? event.methodArn);
  if (token.startsWith('{')) return JSON.parse(token);
  return { isAuthorized: token !== 'no', context: { user_id: token, age: 7, list: [1, null] } };
};
const policy = (Effect, Resource, context) => ({ principalId: 'someone', context,
  policyDocument: { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect, Resource }] } });
`;
const back = 'export const handler = async ({ requestContext }) => requestContext.authorizer;';

const serveGuarded = (properties: Resource['Properties'] = {}, integration: Resource['Properties'] = {}) =>
  serveHttp(
    {
      'GET /a': { to: 'Back', route: guarded, integration },
      'GET /b/{id}': { to: 'Back', route: guarded, integration },
    },
    requestAuthorizer('Gate', 'Http', properties),
    { Gate: gate, Back: back },
  );

const get = (url: string, token?: string) =>
  fetch(url, token === undefined ? {} : { headers: { Authorization: token } });
const policy = { EnableSimpleResponses: false };

describe('a Lambda authorizer of an HTTP API', () => {
  test('passes its context on as it is; without one it is null', async () => {
    const { url } = await serveGuarded();

    expect(await json(await get(`${url}/a`, 'anna'))).toEqual({
      lambda: { user_id: 'anna', age: 7, list: [1, null] },
    });
    expect(await json(await get(`${url}/a`, '{"isAuthorized":true}'))).toEqual({ lambda: null });
  });

  test('in format 2.0 gets the route, the identity and the request', async () => {
    const { url } = await serveGuarded();

    const { lambda } = await json(await get(`${url}/b/1?x=1`, 'echo'));

    expect((lambda as JsonObject).event).toEqual({
      version: '2.0',
      type: 'REQUEST',
      routeArn: expect.stringMatching(
        /^arn:aws:execute-api:us-east-1:000000000000:[0-9a-z]{10}\/\$default\/GET\/b\/1$/,
      ),
      identitySource: ['echo'],
      routeKey: 'GET /b/{id}',
      rawPath: '/b/1',
      rawQueryString: 'x=1',
      headers: expect.objectContaining({ authorization: 'echo' }),
      queryStringParameters: { x: '1' },
      pathParameters: { id: '1' },
      requestContext: expect.objectContaining({ routeKey: 'GET /b/{id}', stage: '$default' }),
    });
  });

  test('in format 1.0 gets a REST request, with the identity as one text', async () => {
    const { url } = await serveGuarded({
      ...policy,
      AuthorizerPayloadFormatVersion: '1.0',
      IdentitySource: ['$request.header.Authorization', '$request.querystring.x'],
    });

    const { lambda } = await json(await get(`${url}/b/1?x=2`, 'echo-policy'));

    const event = JSON.parse(String((lambda as JsonObject).event)) as JsonObject;
    expect(event).toMatchObject({
      version: '1.0',
      type: 'REQUEST',
      methodArn: expect.stringMatching(/\/\$default\/GET\/b\/1$/),
      identitySource: 'echo-policy,2',
      authorizationToken: 'echo-policy,2',
      resource: '/b/{id}',
      path: '/b/1',
      httpMethod: 'GET',
      headers: { Authorization: 'echo-policy' },
      pathParameters: { id: '1' },
      requestContext: { resourcePath: '/b/{id}' },
    });
    expect(event).not.toHaveProperty('body');
  });

  test('shows its context to a route of format 1.0 beside its principal', async () => {
    const handler =
      'export const handler = async ({ requestContext }) => ({ statusCode: 200, body: JSON.stringify(requestContext.authorizer) });';
    const { url } = await serveHttp(
      { 'GET /a': { to: 'Back', route: guarded, integration: v1 } },
      requestAuthorizer('Gate', 'Http', { ...policy, AuthorizerPayloadFormatVersion: '1.0' }),
      { Gate: gate, Back: handler },
    );
    const statement = { Action: 'execute-api:Invoke', Effect: 'Allow', Resource: '*' };
    const returned = (context: Json) =>
      JSON.stringify({ principalId: 'p', policyDocument: { Statement: [statement] }, context });

    expect(await json(await get(`${url}/a`, returned({ user_id: 'anna', age: 7 })))).toEqual({
      principalId: 'p',
      user_id: 'anna',
      age: '7',
    });
    expect((await get(`${url}/a`, returned({ list: [] }))).status).toBe(500);
  });

  test('is called without an identity when it has no identity source', async () => {
    const { url } = await serveGuarded({ IdentitySource: { Ref: 'AWS::NoValue' } });

    const { lambda } = await json(await get(`${url}/a`, 'echo'));

    expect((lambda as JsonObject).event).toMatchObject({ identitySource: null });
  });

  test('is not called when an identity source is missing or empty', async () => {
    const { url, lines } = await serveGuarded();

    for (const response of [await get(`${url}/a`), await get(`${url}/a`, '')])
      expect([response.status, await response.json()]).toEqual([401, { message: 'Unauthorized' }]);
    expect(lines).toEqual([]);
  });

  test.each<[what: string, token: string, status: number]>([
    ['denies', 'no', 403],
    ['throws, whatever the words', 'throws', 500],
    ['says "true" as text', '{"isAuthorized":"true"}', 500],
    ['says "false" as text', '{"isAuthorized":"false"}', 500],
    ['says 1', '{"isAuthorized":1}', 500],
    ['says nothing', '{}', 500],
    ['returns a policy where simple responses are set', 'only-this', 500],
    ['has a context that is no object', '{"isAuthorized":true,"context":"x"}', 500],
  ])('that %s refuses the call', async (_, token, status) => {
    const { url } = await serveGuarded();

    const response = await get(`${url}/a`, token);

    const message = status === 403 ? 'Forbidden' : 'Internal Server Error';
    expect([response.status, await response.json()]).toEqual([status, { message }]);
  });

  test('with policies decides by them; a simple response is none', async () => {
    const { url } = await serveGuarded(policy);

    expect((await get(`${url}/a`, 'only-this')).status).toBe(200);
    expect((await get(`${url}/a`, 'anna')).status).toBe(500);
    const denial = '{"principalId":"a","policyDocument":{"Statement":[]}}';
    expect((await get(`${url}/a`, denial)).status).toBe(403);
  });

  test('responds with 500 when its function does not permit it, or permits another', async () => {
    const other = permission('Gate', 'Http', 'authorizers/another');
    const { url, records, lines } = await serveHttp(
      { 'GET /a': { to: 'Back', route: guarded } },
      { ...requestAuthorizer('Gate', 'Http'), AuthPermission: other },
      { Gate: gate, Back: back },
    );

    const response = await get(`${url}/a`, 'anna');

    expect([response.status, await response.json()]).toEqual([500, { message: 'Internal Server Error' }]);
    expect(records[0]).toMatchObject({ refusal: 'AUTHORIZER_CONFIGURATION_ERROR' });
    expect(records[0]?.fault).toMatch(/No AWS::Lambda::Permission .*\/authorizers\//);
    expect(lines).toEqual([]);
  });
});

describe("the cache of an HTTP API's authorizer", () => {
  test('is off unless the template says otherwise', async () => {
    const { url, lines } = await serveGuarded();

    await get(`${url}/a`, 'anna');
    await get(`${url}/a`, 'anna');

    expect(lines).toHaveLength(2);
  });

  test('keeps a response for all routes, and never for another token', async () => {
    const { url, lines } = await serveGuarded({ AuthorizerResultTtlInSeconds: 300 });

    for (const path of ['/a', '/b/1', '/a']) expect((await get(url + path, 'anna')).status).toBe(200);
    expect(await json(await get(`${url}/a`, 'ben'))).toMatchObject({ lambda: { user_id: 'ben' } });
    for (const path of ['/a', '/b/1']) expect((await get(url + path, 'no')).status).toBe(403);

    expect(lines).toEqual(['called anna', 'called ben', 'called no']);
  });

  test('keeps a policy, not its decision', async () => {
    const { url, lines } = await serveGuarded({ ...policy, AuthorizerResultTtlInSeconds: 300 });

    const statuses = [await get(`${url}/a`, 'only-this'), await get(`${url}/b/1`, 'only-this')];

    expect(statuses.map(({ status }) => status)).toEqual([200, 403]);
    expect(lines).toHaveLength(1);
  });

  test('keeps a response per route when the route key is an identity source, and forgets it in time', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const { url, lines } = await serveGuarded({
      AuthorizerResultTtlInSeconds: 5,
      IdentitySource: ['$request.header.Authorization', '$context.routeKey'],
    });

    for (const path of ['/a', '/b/1', '/a', '/b/2']) await get(url + path, 'anna');
    expect(lines).toHaveLength(2);
    vi.advanceTimersByTime(5_001);
    await get(`${url}/a`, 'anna');

    expect(lines).toHaveLength(3);
  });
});

describe('what an HTTP API uses that is not known is refused at start, by name:', () => {
  test.each<[what: string, resources: Resources, message: string]>([
    ['CORS', apiV2('HTTP', {}, { CorsConfiguration: {} }), 'Http.CorsConfiguration: this property'],
    [
      'a scope',
      apiV2('HTTP', { 'GET /a': { to: 'Fn', route: { AuthorizationScopes: ['a'] } } }),
      'HttpRoute0.AuthorizationScopes',
    ],
    [
      'a stage with a path',
      {
        ...apiV2('HTTP', {}),
        HttpStage: {
          Type: 'AWS::ApiGatewayV2::Stage',
          Properties: { ApiId: { Ref: 'Http' }, StageName: 'v1' },
        },
      },
      'HttpStage.StageName',
    ],
    [
      'an integration without a format',
      apiV2('HTTP', {
        'GET /a': { to: 'Fn', integration: { PayloadFormatVersion: { Ref: 'AWS::NoValue' } } },
      }),
      'HttpIntegration0.PayloadFormatVersion',
    ],
    [
      'another integration',
      apiV2('HTTP', { 'GET /a': { to: 'Fn', integration: { IntegrationType: 'HTTP_PROXY' } } }),
      'HttpIntegration0.IntegrationType: "HTTP_PROXY"',
    ],
    [
      'a route without method',
      apiV2('HTTP', { orders: { to: 'Fn' } }),
      'HttpRoute0.RouteKey: orders is neither',
    ],
    [
      'an authorizer of another API',
      {
        ...apiV2('HTTP', { 'GET /a': { to: 'Fn', route: guarded } }),
        ...apiV2('WEBSOCKET', {}),
        ...requestAuthorizer('Fn', 'Ws'),
      },
      'HttpRoute0.AuthorizerId: this API has no such authorizer',
    ],
    [
      'IAM authorization',
      apiV2('HTTP', { 'GET /a': { to: 'Fn', route: { AuthorizationType: 'AWS_IAM' } } }),
      'HttpRoute0.AuthorizationType: "AWS_IAM"',
    ],
  ])('%s', async (_, resources, message) => {
    await expect(serveStack(resources, { Fn: echo })).rejects.toThrow(message);
  });

  test.each<[what: string, properties: Resource['Properties'], message: string]>([
    [
      'an authorizer without a payload format',
      { AuthorizerPayloadFormatVersion: { Ref: 'AWS::NoValue' } },
      'Auth.AuthorizerPayloadFormatVersion: none',
    ],
    [
      'simple responses in format 1.0',
      { AuthorizerPayloadFormatVersion: '1.0' },
      'simple responses need payload format 2.0',
    ],
    [
      'a cache without an identity source',
      { AuthorizerResultTtlInSeconds: 60, IdentitySource: [] },
      'needs an identity source',
    ],
    ['a cache for more than an hour', { AuthorizerResultTtlInSeconds: 3601 }, 'from 0 to 3600'],
    [
      'an identity source of a REST API',
      { IdentitySource: ['method.request.header.A'] },
      'the identity source method.request.header.A',
    ],
    ['a role', { AuthorizerCredentialsArn: 'arn' }, 'Auth.AuthorizerCredentialsArn'],
  ])('%s', async (_, properties, message) => {
    await expect(serveGuarded(properties)).rejects.toThrow(message);
  });
});
