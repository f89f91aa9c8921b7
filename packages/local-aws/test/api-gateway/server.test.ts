import { request as httpRequest } from 'node:http';
import { describe, expect, test } from 'vitest';
import { compileRestApi } from '../../src/api-gateway/rest/api.ts';
import { serveRestApi } from '../../src/api-gateway/rest/serve.ts';
import { startGateway } from '../../src/api-gateway/server.ts';
import type { Resource } from '../../src/template/assembly.ts';
import { createResolver } from '../../src/template/intrinsics.ts';
import {
  apiWith,
  authorizer,
  gatewayResponse,
  proxyTo,
  type Resources,
  serveApi,
  template,
} from '../fixtures/assembly.ts';

const echo = 'export const handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });';

/** A function that responds with what the request's body says. */
const parrot = 'export const handler = async ({ body }) => JSON.parse(body);';

const post = (url: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  fetch(url, { method: 'POST', body, headers });

interface RawResponse {
  readonly status: number;
  readonly body: string;
}

/** Sends header lines as they are: `fetch` would join duplicates. */
const rawGet = (url: string, headers: readonly string[]): Promise<RawResponse> =>
  new Promise((resolve, reject) => {
    const request = httpRequest(url, { headers: ['Host', 'example.test', ...headers] }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.on('error', reject).end();
  });

describe('the event of a proxy integration', () => {
  test('holds the request as API Gateway writes it', async () => {
    const { url } = await serveApi(
      { ...apiWith({ 'POST /users/{id}': { Integration: proxyTo('Fn') } }) },
      { Fn: echo },
    );

    const response = await post(`${url}/users/a%20b?x=1&x=2&y=%E5%BE%AE`, '{"名":"微信"}', {
      'Content-Type': 'application/json',
      'User-Agent': 'MicroMessenger',
    });
    const event = (await response.json()) as { headers: Record<string, string>; requestContext: object };

    expect(event).toMatchObject({
      resource: '/users/{id}',
      path: '/users/a%20b',
      httpMethod: 'POST',
      pathParameters: { id: 'a b' },
      queryStringParameters: { x: '2', y: '微' },
      multiValueQueryStringParameters: { x: ['1', '2'], y: ['微'] },
      stageVariables: null,
      body: '{"名":"微信"}',
      isBase64Encoded: false,
      requestContext: {
        accountId: '000000000000',
        apiId: expect.stringMatching(/^[0-9a-z]{10}$/),
        httpMethod: 'POST',
        identity: { sourceIp: '127.0.0.1', userAgent: 'MicroMessenger' },
        path: '/users/a%20b',
        protocol: 'HTTP/1.1',
        requestId: response.headers.get('x-amzn-requestid'),
        requestTime: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
        requestTimeEpoch: expect.any(Number),
        resourcePath: '/users/{id}',
        stage: 'v1',
      },
    });
    expect(event.headers['X-Forwarded-For']).toBe('127.0.0.1');
    expect(Object.keys(event.headers).map((name) => name.toLowerCase())).not.toContain('content-length');
    expect(event.requestContext).not.toHaveProperty('authorizer');
  });

  test('says null where there is nothing', async () => {
    const { url } = await serveApi(apiWith({ 'GET /': { Integration: proxyTo('Fn') } }), { Fn: echo });

    expect(await (await fetch(url)).json()).toMatchObject({
      path: '/',
      pathParameters: null,
      queryStringParameters: null,
      multiValueQueryStringParameters: null,
      body: null,
    });
  });

  test('shows every Authorization header, and the last one in the plain map', async () => {
    const { url } = await serveApi(apiWith({ 'GET /a': { Integration: proxyTo('Fn') } }), { Fn: echo });

    const { body } = await rawGet(`${url}/a`, ['Authorization', 'first', 'authorization', 'second']);

    expect(JSON.parse(body)).toMatchObject({
      headers: { Authorization: 'second' },
      multiValueHeaders: { Authorization: ['first', 'second'] },
    });
  });

  test('carries bytes as base64 only for binary media types', async () => {
    const bytes = new Uint8Array([0xff, 0xfe, 0x00]);
    const methods = { 'POST /a': { Integration: proxyTo('Fn') } };
    const plain = await serveApi(apiWith(methods), { Fn: echo });
    const binary = await serveApi(apiWith(methods, { BinaryMediaTypes: ['image/png'] }), { Fn: echo });
    const send = async ({ url }: { url: string }, type: string) =>
      (await post(`${url}/a`, bytes, { 'Content-Type': type })).json();

    expect(await send(plain, 'image/png')).toMatchObject({ isBase64Encoded: false, body: '\ufffd\ufffd\0' });
    expect(await send(binary, 'image/png; q=1')).toMatchObject({ isBase64Encoded: true, body: '//4A' });
    expect(await send(binary, 'text/plain')).toMatchObject({ isBase64Encoded: false });
  });
});

describe('the response of a proxy integration', () => {
  const methods = { 'POST /a': { Integration: proxyTo('Fn') } };

  test('becomes the response: status, headers, several headers of one name, body', async () => {
    const { url } = await serveApi(apiWith(methods), { Fn: parrot });
    const returned = {
      statusCode: 201,
      headers: { 'X-One': 'a', 'Retry-After': '5' },
      multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'] },
      body: '微信',
    };

    const response = await post(`${url}/a`, JSON.stringify(returned));

    expect(response.status).toBe(201);
    expect(response.headers.get('x-one')).toBe('a');
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(await response.text()).toBe('微信');
  });

  test('may leave every member out', async () => {
    const { url } = await serveApi(apiWith(methods), { Fn: parrot });

    const response = await post(`${url}/a`, '{}');

    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  test('has the headers renamed that API Gateway keeps for itself', async () => {
    const { url } = await serveApi(apiWith(methods), { Fn: parrot });
    const headers = { 'WWW-Authenticate': 'Bearer', 'Content-Length': '999', Server: 'mine' };

    const response = await post(`${url}/a`, JSON.stringify({ headers, body: 'abc' }));

    expect(response.headers.get('www-authenticate')).toBeNull();
    expect(response.headers.get('x-amzn-remapped-www-authenticate')).toBe('Bearer');
    expect(response.headers.get('x-amzn-remapped-server')).toBe('mine');
    expect(await response.text()).toBe('abc');
  });

  test('is decoded from base64 only when the client accepts a binary media type', async () => {
    const { url } = await serveApi(apiWith(methods, { BinaryMediaTypes: ['image/png'] }), { Fn: parrot });
    const returned = JSON.stringify({ body: 'AAEC', isBase64Encoded: true });

    const bytes = await post(`${url}/a`, returned, { Accept: 'image/png' });
    const text = await post(`${url}/a`, returned, { Accept: 'text/html' });

    expect([...new Uint8Array(await bytes.arrayBuffer())]).toEqual([0, 1, 2]);
    expect(await text.text()).toBe('AAEC');
  });

  test.each([
    ['text', '"hello"'],
    ['null', 'null'],
    ['a list', '[]'],
    ['an unknown member', '{"statusCode":200,"Body":"x"}'],
    ['a body that is an object', '{"body":{"a":1}}'],
    ['a status that is no number', '{"statusCode":"ok"}'],
    ['a status out of range', '{"statusCode":99}'],
    ['a header that is an object', '{"headers":{"a":{}}}'],
    ['a header that is a number', '{"headers":{"a":1}}'],
    ['a header with a line break', '{"headers":{"a":"b\\r\\nc: d"}}'],
    ['a header name with a space', '{"headers":{"a b":"c"}}'],
    ['a header in Chinese', '{"headers":{"a":"微信"}}'],
    ['headers that are a list', '{"headers":[]}'],
    ['multiValueHeaders that are texts', '{"multiValueHeaders":{"a":"b"}}'],
    ['isBase64Encoded that is text', '{"body":"","isBase64Encoded":"true"}'],
    ['an error thrown by the function', 'not json'],
  ])('that is %s is a 502 in the words of DEFAULT_5XX', async (_, returned) => {
    const { url, records } = await serveApi(
      {
        ...apiWith(methods),
        Words: gatewayResponse('DEFAULT_5XX', {
          ResponseTemplates: {
            'application/json': '{"type":"$context.error.responseType","id":"$context.requestId"}',
          },
        }),
      },
      { Fn: parrot },
    );

    const response = await post(`${url}/a`, returned);

    expect(response.status).toBe(502);
    expect(await response.json()).toEqual({
      type: 'DEFAULT_5XX',
      id: response.headers.get('x-amzn-requestid'),
    });
    expect(records).toMatchObject([{ method: 'POST', path: '/a', status: 502, refusal: 'DEFAULT_5XX' }]);
  });

  test('that takes longer than the integration may is a 504', async () => {
    const { url } = await serveApi(
      apiWith({ 'GET /a': { Integration: proxyTo('Fn', { TimeoutInMillis: 200 }) } }),
      { Fn: 'export const handler = () => new Promise((r) => setTimeout(r, 1_000, {}));' },
    );

    const response = await fetch(`${url}/a`);

    expect(response.status).toBe(504);
    expect(response.headers.get('x-amzn-errortype')).toBe('InternalServerErrorException');
    expect(await response.json()).toEqual({ message: 'Endpoint request timed out' });
  });
});

describe('routing', () => {
  const responding = (text: string): Resource['Properties'] => ({
    Integration: {
      Type: 'MOCK',
      RequestTemplates: { 'application/json': '{"statusCode": 200}' },
      IntegrationResponses: [{ StatusCode: '200', ResponseTemplates: { 'application/json': text } }],
    },
    MethodResponses: [{ StatusCode: '200' }],
  });

  test('prefers fixed segments to parameters, those to greedy ones, and a method to ANY', async () => {
    const routes = [
      'GET /',
      'ANY /a/b',
      'GET /a/b',
      'GET /a/{id}',
      'GET /a/{id}/c',
      'GET /a/{rest+}',
      'GET /{first}/b/only',
      'ANY /{proxy+}',
    ];
    const { url } = await serveApi(
      apiWith(Object.fromEntries(routes.map((route) => [route, responding(route)]))),
    );
    const routed = async (method: string, path: string) => (await fetch(url + path, { method })).text();

    expect(await routed('GET', '/')).toBe('GET /');
    expect(await routed('GET', '/a/b')).toBe('GET /a/b');
    expect(await routed('GET', '/a/b/')).toBe('GET /a/b');
    expect(await routed('PUT', '/a/b')).toBe('ANY /a/b');
    expect(await routed('GET', '/a/x')).toBe('GET /a/{id}');
    expect(await routed('GET', '/a/x/c')).toBe('GET /a/{id}/c');
    expect(await routed('GET', '/a/x/y/z')).toBe('GET /a/{rest+}');
    expect(await routed('GET', '/q/b/only')).toBe('GET /{first}/b/only');
    expect(await routed('DELETE', '/q')).toBe('ANY /{proxy+}');
  });

  test('refuses an unknown path, an unknown method, and a greedy parameter for nothing', async () => {
    const { url } = await serveApi(
      apiWith({ 'GET /a': responding('a'), 'ANY /b/{proxy+}': responding('b') }),
    );

    for (const [method, path] of [
      ['GET', '/'],
      ['GET', '/A'],
      ['POST', '/a'],
      ['GET', '/a/b'],
      ['GET', '//a'],
      ['GET', '/b'],
      ['GET', '/%61'],
    ]) {
      const response = await fetch(`${url}${path}`, { method: method ?? '' });
      expect([path, response.status, await response.json()]).toEqual([
        path,
        403,
        { message: 'Missing Authentication Token' },
      ]);
    }
  });

  test('takes an Authorization header for a signature where there is no method, as API Gateway does', async () => {
    const { url } = await serveApi(
      {
        ...apiWith({ 'GET /a': { Integration: proxyTo('Fn') } }),
        Unknown: gatewayResponse('MISSING_AUTHENTICATION_TOKEN', { StatusCode: '404' }),
      },
      { Fn: echo },
    );
    const statusWith = async (headers: Record<string, string>) =>
      (await fetch(`${url}/nowhere`, { headers })).status;

    expect(await statusWith({})).toBe(404);
    expect(await statusWith({ authorization: 'Bearer x' })).toBe(403);
  });

  test('refuses a path parameter that cannot be decoded with 400', async () => {
    const { url } = await serveApi(apiWith({ 'GET /{id}': { Integration: proxyTo('Fn') } }), { Fn: echo });

    expect((await fetch(`${url}/%ff`)).status).toBe(400);
  });
});

describe('gateway responses', () => {
  const fn = { 'POST /a': { Integration: proxyTo('Fn') } };

  test('word a refusal with status, headers and template of its own type', async () => {
    const { url } = await serveApi(
      {
        ...apiWith(fn),
        Words: gatewayResponse('MISSING_AUTHENTICATION_TOKEN', {
          StatusCode: '404',
          ResponseParameters: {
            'gatewayresponse.header.Cache-Control': "'no-store'",
            'gatewayresponse.header.X-Request': 'context.requestId',
            'gatewayresponse.header.X-Asked': 'method.request.header.x-asked',
          },
          ResponseTemplates: {
            'application/problem+json':
              '{"m":$context.error.messageString,"p":"$context.path","x":"$context.authorizer.x","$1":"#"}',
          },
        }),
        Default: gatewayResponse('DEFAULT_4XX', { StatusCode: '400' }),
      },
      { Fn: echo },
    );

    const response = await fetch(`${url}/nowhere`, { headers: { 'X-Asked': 'yes' } });

    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-request')).toBe(response.headers.get('x-amzn-requestid'));
    expect(response.headers.get('x-asked')).toBe('yes');
    expect(await response.json()).toEqual({
      m: 'Missing Authentication Token',
      p: '/nowhere',
      x: '',
      $1: '#',
    });
  });

  test('fall back to the default of their class, whose status then holds for all of it', async () => {
    const { url } = await serveApi(
      { ...apiWith(fn), Default: gatewayResponse('DEFAULT_4XX', { StatusCode: '418' }) },
      { Fn: 'throw new Error()' },
    );

    expect((await fetch(`${url}/nowhere`)).status).toBe(418);
    expect((await post(`${url}/a`, '')).status).toBe(502);
  });

  test('refuse a body over 10 MB with 413 without calling the function', async () => {
    const { url, lines } = await serveApi(apiWith(fn), { Fn: `console.log('started'); ${echo}` });

    const tooLarge = await post(`${url}/a`, new Uint8Array(10 * 1024 * 1024 + 1));

    expect([tooLarge.status, await tooLarge.json()]).toEqual([413, { message: 'Request Too Long' }]);
    expect(lines).toEqual([]);
  });
});

describe('the gateway', () => {
  test('says in one sentence that its port is taken', async () => {
    const first = await startGateway(0);
    const port = Number(new URL(first.url).port);

    await expect(startGateway(port)).rejects.toThrow(
      `Port ${port} is already in use: set PORT to another one, or to 0 for any free one.`,
    );
    await first.close();
  });

  test('listens at a further address too, and ends there as well', async () => {
    const gateway = await startGateway(0, undefined, undefined, '127.0.0.2');
    gateway.serve({ respond: async () => ({ response: { status: 200, headers: [], body: 'here' } }) });
    const there = gateway.url.replace('127.0.0.1', '127.0.0.2');

    for (const url of [gateway.url, there]) expect(await (await fetch(url)).text(), url).toBe('here');
    await gateway.close();
    await expect(fetch(there)).rejects.toThrow();

    await expect(startGateway(0, undefined, undefined, '203.0.113.1')).rejects.toThrow(
      'HOST 203.0.113.1 is no address of this machine.',
    );
  });

  test('holds requests back until it has an API', async () => {
    const gateway = await startGateway(0);
    const early = fetch(`${gateway.url}/nowhere`);
    const api = compileRestApi(
      createResolver(template(apiWith({}))),
      () => Promise.reject(new Error('unused')),
      {},
    );

    gateway.serve(serveRestApi(api));

    expect((await early).status).toBe(403);
    await gateway.close();
  });
});

describe('a template feature that is not known is refused at start, by name:', () => {
  const method = (properties: object) =>
    apiWith({ 'GET /a': { Integration: { Type: 'MOCK' }, ...properties } });
  const integration = (properties: object) => method({ Integration: { Type: 'MOCK', ...properties } });
  const where = `GETResource${Buffer.from('a').toString('hex')}`;
  const Fn = 'arn:aws:lambda:us-east-1:000000000000:function:any';

  test.each<[what: string, resources: Resources, message: string]>([
    ['an API key', method({ ApiKeyRequired: true }), `${where}.ApiKeyRequired: an API key is not supported`],
    [
      'IAM authorization',
      method({ AuthorizationType: 'AWS_IAM' }),
      `${where}.AuthorizationType: "AWS_IAM" is not supported`,
    ],
    [
      'a method property',
      method({ AuthorizationScopes: ['a'] }),
      `${where}.AuthorizationScopes: this property is not supported`,
    ],
    [
      'an integration type',
      integration({ Type: 'HTTP_PROXY' }),
      `${where}.Integration.Type: "HTTP_PROXY" is not supported`,
    ],
    [
      'mapped request parameters',
      integration({ RequestParameters: {} }),
      `${where}.Integration.RequestParameters: this property is not supported`,
    ],
    [
      'a VPC link',
      integration({ ConnectionType: 'VPC_LINK' }),
      `${where}.Integration.ConnectionType: "VPC_LINK" is not supported`,
    ],
    [
      'a proxy to something else',
      integration({ Type: 'AWS_PROXY', Uri: 'arn:aws:apigateway:x:sqs:path/q' }),
      `${where}.Integration.Uri: a URI that is not a function`,
    ],
    [
      'another template in a template',
      integration({ RequestTemplates: { 'application/json': '#parse("other")' } }),
      `${where}.Integration.RequestTemplates: the expression #parse is not supported`,
    ],
    [
      'a status no method response declares',
      integration({ IntegrationResponses: [{ StatusCode: '405' }] }),
      "status 405 is not among the method's MethodResponses",
    ],
    [
      'a header no method response declares',
      method({
        Integration: {
          Type: 'MOCK',
          IntegrationResponses: [
            { StatusCode: '200', ResponseParameters: { 'method.response.header.Allow': "'GET'" } },
          ],
        },
        MethodResponses: [{ StatusCode: '200' }],
      }),
      "method.response.header.Allow is not declared in the method's MethodResponses",
    ],
    ['an OpenAPI body', apiWith({}, { Body: {} }), 'Api.Body: this property is not supported'],
    [
      'two APIs',
      { ...apiWith({}), Other: { Type: 'AWS::ApiGateway::RestApi' } },
      'exactly one AWS::ApiGateway::RestApi; this one has Api, Other',
    ],
    ['no API', {}, 'exactly one AWS::ApiGateway::RestApi; this one has none'],
    [
      'a canary',
      {
        ...apiWith({}),
        Stage: { Type: 'AWS::ApiGateway::Stage', Properties: { StageName: 'v1', CanarySetting: {} } },
      },
      'Stage.CanarySetting: this property is not supported',
    ],
    [
      'a Cognito authorizer',
      { ...apiWith({}), Auth: authorizer('Api', { Type: 'COGNITO_USER_POOLS', AuthorizerUri: Fn }) },
      'Auth.Type: "COGNITO_USER_POOLS" (only REQUEST) is not supported',
    ],
    [
      'a gateway response type',
      { ...apiWith({}), Words: gatewayResponse('TEAPOT') },
      'Words.ResponseType: TEAPOT is not supported',
    ],
    [
      'a gateway response target',
      {
        ...apiWith({}),
        Words: gatewayResponse('DEFAULT_4XX', { ResponseParameters: { 'gatewayresponse.path.x': "'a'" } }),
      },
      'a target other than gatewayresponse.header.<name> is not supported',
    ],
    [
      'a header source',
      {
        ...apiWith({}),
        Words: gatewayResponse('DEFAULT_4XX', {
          ResponseParameters: { 'gatewayresponse.header.x': 'stageVariables.a' },
        }),
      },
      'the source stageVariables.a is not supported',
    ],
    [
      'a header in Chinese',
      {
        ...apiWith({}),
        Words: gatewayResponse('DEFAULT_4XX', {
          ResponseParameters: { 'gatewayresponse.header.x': "'微信'" },
        }),
      },
      'a header value must be printable ASCII',
    ],
    [
      'a request validator',
      { ...apiWith({}), Validator: { Type: 'AWS::ApiGateway::RequestValidator' } },
      'Validator: resource type AWS::ApiGateway::RequestValidator is not supported',
    ],
    [
      'a TOKEN authorizer',
      { ...apiWith({}), Auth: authorizer('Api', { Type: 'TOKEN', AuthorizerUri: Fn }) },
      'Auth.Type: "TOKEN" (only REQUEST) is not supported',
    ],
  ])('%s', (_, resources, message) => {
    const compile = () =>
      compileRestApi(createResolver(template(resources)), () => Promise.reject(new Error('unused')), {});

    expect(compile).toThrow(message);
  });
});
