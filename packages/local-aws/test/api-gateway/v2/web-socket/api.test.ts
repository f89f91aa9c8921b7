import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/json.ts';
import type { Resource } from '../../../../src/template/assembly.ts';
import { apiV2, guarded, openWebSocket, requestAuthorizer, serveStack } from '../../../fixtures/apis-v2.ts';
import { permission, type Resources } from '../../../fixtures/assembly.ts';

/** Logs every event, and echoes it as the body of its response. */
const echo = `export const handler = async (event) => {
  console.log(JSON.stringify(event));
  return { statusCode: 200, body: JSON.stringify(event) };
};`;
const gate = `export const handler = async (event) => {
  const token = event.headers.Authorization ?? event.queryStringParameters.token ?? '';
  console.log('called ' + JSON.stringify(event));
  if (token === 'unauthorized') throw new Error('Unauthorized');
  if (token === 'broken') throw new Error('no database');
  if (token === 'nonsense') return { isAuthorized: true };
  const Effect = token === 'deny' ? 'Deny' : 'Allow';
  return {
    principalId: 'someone', context: { user_id: token, age: 7, pad: token === 'large' ? 'x'.repeat(8192) : '' },
    policyDocument: { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect, Resource: token === 'other' ? 'arn:x' : event.methodArn }] },
  };
};`;

const responding = { RouteResponseSelectionExpression: '$default' };
const responseOf = (at: number): Resources => ({
  [`Response${at}`]: {
    Type: 'AWS::ApiGatewayV2::RouteResponse',
    Properties: { ApiId: { Ref: 'Ws' }, RouteId: { Ref: `WsRoute${at}` }, RouteResponseKey: '$default' },
  },
});

const serve = async (
  routes: Parameters<typeof apiV2>[1],
  more: Resources = {},
  sources: Readonly<Record<string, string>> = { Fn: echo },
) => {
  const stack = await serveStack({ ...apiV2('WEBSOCKET', routes), ...more }, sources);
  return { ...stack, url: stack.urls.Ws ?? '' };
};

const serveGuarded = (properties: Resource['Properties'] = {}) =>
  serve(
    { $connect: { to: 'Fn', route: guarded }, $default: { to: 'Fn', route: responding } },
    { ...requestAuthorizer('Gate', 'Ws', properties), ...responseOf(1) },
    { Fn: echo, Gate: gate },
  );

const withToken = (token: string) => ({ headers: { Authorization: token } });

describe('a WebSocket API', () => {
  test('tells $connect about the handshake, and $default about messages', async () => {
    const { url, lines } = await serve(
      { $connect: { to: 'Fn' }, $default: { to: 'Fn', route: responding } },
      responseOf(1),
    );
    const client = await openWebSocket(`${url}/?room=1`);

    const sent = (await client.request('{"text":"微信"}')) as JsonObject;

    const connect = JSON.parse(lines[0] ?? '') as JsonObject;
    expect(connect).toEqual({
      headers: expect.objectContaining({ 'Sec-WebSocket-Version': '13' }),
      multiValueHeaders: expect.objectContaining({ 'Sec-WebSocket-Version': ['13'] }),
      queryStringParameters: { room: '1' },
      multiValueQueryStringParameters: { room: ['1'] },
      requestContext: expect.objectContaining({ routeKey: '$connect', eventType: 'CONNECT' }),
      isBase64Encoded: false,
    });
    const { connectionId, connectedAt } = connect.requestContext as JsonObject;
    expect(sent).toEqual({
      body: '{"text":"微信"}',
      isBase64Encoded: false,
      requestContext: {
        apiId: expect.stringMatching(/^[0-9a-z]{10}$/),
        connectedAt,
        connectionId,
        domainName: new URL(url).host,
        eventType: 'MESSAGE',
        extendedRequestId: expect.any(String),
        identity: { sourceIp: '127.0.0.1', userAgent: null },
        messageDirection: 'IN',
        messageId: expect.any(String),
        requestId: expect.any(String),
        requestTime: expect.any(String),
        requestTimeEpoch: expect.any(Number),
        routeKey: '$default',
        stage: 'live',
      },
    });
  });

  test('responds itself where there is no route, or its function fails', async () => {
    const ids = { connectionId: expect.stringMatching(/=$/), requestId: expect.any(String) };
    const responseTo = async (...stack: Parameters<typeof serve>) => {
      const { url } = await serve(...stack);
      return (await openWebSocket(url)).request('hello');
    };
    const failing = { Bad: 'export const handler = async () => { throw new Error("no"); };' };
    const wrong = { Bad: 'export const handler = async () => "hello";' };
    const closed = { WsBadPermission: permission('Bad', 'Ws', '*other') };

    expect(await responseTo({ $connect: { to: 'Fn' } })).toEqual({ message: 'Forbidden', ...ids });
    for (const [more, sources] of [
      [{}, failing],
      [{}, wrong],
      [closed, { Bad: echo }],
    ] as const)
      expect(await responseTo({ $default: { to: 'Bad' } }, more, sources)).toEqual({
        message: 'Internal server error',
        ...ids,
      });
  });

  test('says nothing for a route without a response', async () => {
    const { url, records } = await serve({ $connect: { to: 'Fn' }, $default: { to: 'Fn' } });
    const client = await openWebSocket(url);
    const messages: unknown[] = [];
    client.socket.on('message', (data) => messages.push(data));

    client.socket.send('hello');

    await expect
      .poll(() => records.at(-1), { timeout: 100_000 })
      .toMatchObject({ method: 'MESSAGE', path: '$default', status: 200 });
    expect(messages).toEqual([]);
  });

  test('is served at the root only, and to WebSockets only', async () => {
    const { url } = await serve({ $default: { to: 'Fn' } });

    await expect(openWebSocket(`${url}/live`)).rejects.toThrow('403');
    expect((await fetch(url)).status).toBe(426);
  });
});

describe('the sub-protocol', () => {
  const connectSaying = (returned: string) =>
    serve({ $connect: { to: 'Fn' } }, {}, { Fn: `export const handler = async () => (${returned});` });

  test('is the one that $connect returns', async () => {
    const { url } = await connectSaying('{ statusCode: 200, headers: { "sec-websocket-protocol": "b" } }');

    expect((await openWebSocket(url, ['a', 'b'])).socket.protocol).toBe('b');
  });

  test('is none when $connect returns none, which makes clients that want one give up', async () => {
    const { url } = await connectSaying('{ statusCode: 200 }');

    await expect(openWebSocket(url, ['a'])).rejects.toThrow('Server sent no subprotocol');
    expect((await openWebSocket(url)).socket.protocol).toBe('');
  });
});

describe('a handshake', () => {
  test.each<[what: string, returned: string, status: number]>([
    ['returns another status', '{ statusCode: 418 }', 418],
    ['returns no status', '{}', 502],
    ['returns nothing', 'undefined', 502],
    ['throws', '(() => { throw new Error("no"); })()', 502],
  ])('is refused when $connect %s', async (_, returned, status) => {
    const { url, records } = await serve(
      { $connect: { to: 'Fn' } },
      {},
      { Fn: `export const handler = async () => (${returned});` },
    );

    await expect(openWebSocket(url)).rejects.toThrow(`Unexpected server response: ${status}`);
    expect(records.at(-1)).toMatchObject({ method: 'GET', path: '/', status });
  });

  test('calls the authorizer, whose policy is for $connect and whose context messages see', async () => {
    const { url, lines } = await serveGuarded();

    const client = await openWebSocket(url, [], withToken('anna'));
    const { requestContext } = (await client.request('hello')) as JsonObject;

    expect(JSON.parse(lines[0]?.replace('called ', '') ?? '')).toMatchObject({
      type: 'REQUEST',
      methodArn: expect.stringMatching(
        /^arn:aws:execute-api:us-east-1:000000000000:[0-9a-z]{10}\/live\/\$connect$/,
      ),
      headers: { Authorization: 'anna' },
      multiValueHeaders: { Authorization: ['anna'] },
      queryStringParameters: {},
      stageVariables: {},
      requestContext: { eventType: 'CONNECT', routeKey: '$connect' },
    });
    expect(lines[0]).not.toContain('httpMethod');
    expect((requestContext as JsonObject).authorizer).toEqual({
      principalId: 'someone',
      integrationLatency: expect.any(Number),
      user_id: 'anna',
      age: '7',
      pad: '',
    });
  });

  test('takes the token from the query string too', async () => {
    const { url, lines } = await serveGuarded({ IdentitySource: ['route.request.querystring.token'] });

    await openWebSocket(`${url}/?token=anna`);

    await expect(openWebSocket(url, [], withToken('anna'))).rejects.toThrow('401');
    expect(lines.filter((line) => line.startsWith('called'))).toHaveLength(1);
  });

  test('calls the authorizer every time', async () => {
    const { url, lines } = await serveGuarded();

    await openWebSocket(url, [], withToken('anna'));
    await openWebSocket(url, [], withToken('anna'));

    expect(lines.filter((line) => line.startsWith('called'))).toHaveLength(2);
  });

  test.each<[token: string, status: number]>([
    ['', 401],
    ['unauthorized', 401],
    ['deny', 403],
    ['other', 403],
    ['broken', 500],
    ['nonsense', 500],
    ['large', 500],
  ])('with the token "%s" gets %d, and $connect is not called', async (token, status) => {
    const { url, lines } = await serveGuarded();

    await expect(openWebSocket(url, [], withToken(token))).rejects.toThrow(
      `Unexpected server response: ${status}`,
    );
    expect(lines.some((line) => line.startsWith('{'))).toBe(false);
  });
});

describe('what a WebSocket API uses that is not known is refused at start, by name:', () => {
  const authorizer = (properties: Resource['Properties']) => ({
    ...apiV2('WEBSOCKET', { $connect: { to: 'Fn', route: guarded } }),
    ...requestAuthorizer('Fn', 'Ws', properties),
  });
  test.each<[what: string, resources: Resources, message: string]>([
    ['a cache', authorizer({ AuthorizerResultTtlInSeconds: 60 }), 'Auth.AuthorizerResultTtlInSeconds'],
    ['simple responses', authorizer({ EnableSimpleResponses: true }), 'Auth.EnableSimpleResponses'],
    [
      'an identity source of an HTTP API',
      authorizer({ IdentitySource: ['$request.header.A'] }),
      'the identity source $request.header.A',
    ],
    [
      'an authorizer on another route',
      { ...apiV2('WEBSOCKET', { $default: { to: 'Fn', route: guarded } }), ...requestAuthorizer('Fn', 'Ws') },
      'WsRoute0.AuthorizerId: only $connect',
    ],
    [
      'a route of messages of one kind',
      apiV2('WEBSOCKET', { send: { to: 'Fn' } }),
      'WsRoute0.RouteKey: send (only $connect and $default)',
    ],
    [
      'two stages',
      {
        ...apiV2('WEBSOCKET', {}),
        More: { Type: 'AWS::ApiGatewayV2::Stage', Properties: { ApiId: { Ref: 'Ws' }, StageName: 'b' } },
      },
      'exactly one stage',
    ],
  ])('%s', async (_, resources, message) => {
    await expect(serveStack(resources, { Fn: echo })).rejects.toThrow(message);
  });
});
