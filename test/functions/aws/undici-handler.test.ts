import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createDocumentClient, limits } from '../../../functions/aws/clients.ts';
import { asUnavailable } from '../../../functions/aws/unavailable.ts';
import { createUndiciHandler } from '../../../functions/aws/undici-handler.ts';

/** A slow machine is neither silent nor far away. */
const patient = { connectMs: 60_000, silenceMs: 60_000 };

/** A DynamoDB, and a client over undici. */
async function start(listener: RequestListener, { connectMs, silenceMs } = patient) {
  const real = { ...limits };
  Object.assign(limits, { connectMs, silenceMs });
  const sockets: Socket[] = [];
  const server = createServer({ keepAliveTimeout: 60_000 }, listener);
  server.on('connection', (socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const handler = createUndiciHandler();
  onTestFinished(() => {
    handler.destroy?.();
    server.closeAllConnections();
    server.close();
    vi.unstubAllEnvs();
    Object.assign(limits, real);
  });
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  const client = createDocumentClient(handler);
  const read = () => client.send(new GetCommand({ TableName: 'users', Key: { pk: 'u' } }));
  return { read, sockets, server };
}

const respond: RequestListener = (request, response) => {
  request.resume().on('end', () => {
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
    // In two parts, cut in the middle of a character.
    const bytes = Buffer.from('{"Item":{"username":{"S":"小明"}}}');
    response.write(bytes.subarray(0, 27));
    setImmediate(() => response.end(bytes.subarray(27)));
  });
};

it('reads a response of several parts, and keeps a connection for each request at a time', async () => {
  const { read, sockets } = await start(respond);

  const first = await Promise.all([read(), read()]);
  const second = await Promise.all([read(), read()]);

  for (const { Item } of [...first, ...second]) expect(Item).toEqual({ username: '小明' });
  expect(sockets).toHaveLength(2);
});

it('has no more connections than fifty at a time', async () => {
  const { read, sockets } = await start(respond);

  const results = await Promise.all(Array.from({ length: 60 }, read));

  for (const { Item } of results) expect(Item).toEqual({ username: '小明' });
  expect(sockets).toHaveLength(50);
});

it('connects anew when a kept connection has ended', async () => {
  const { read, sockets } = await start(respond);
  await read();

  sockets[0]?.destroy();

  await expect(read()).resolves.toMatchObject({ Item: { username: '小明' } });
  expect(sockets).toHaveLength(2);
});

it('repeats a request whose connection ends without a response', async () => {
  let requests = 0;
  const { read } = await start((request, response) => {
    requests += 1;
    if (requests === 1) request.socket.destroy();
    else respond(request, response);
  });

  await expect(read()).resolves.toMatchObject({ Item: { username: '小明' } });
  expect(requests).toBe(2);
});

it.each([
  ['content-length: 999\r\nconnection: close', '{"Item"'],
  ['content-length: 999', '{"Item"'],
  ['transfer-encoding: chunked\r\nconnection: close', '7\r\n{"Item"\r\n'],
])('repeats a request whose response is cut off: %j', async (headers, body) => {
  let requests = 0;
  const { read } = await start((request, response) => {
    requests += 1;
    if (requests > 1) respond(request, response);
    else request.resume().on('end', () => request.socket.end(`HTTP/1.1 200 OK\r\n${headers}\r\n\r\n${body}`));
  });

  await expect(read()).resolves.toMatchObject({ Item: { username: '小明' } });
  expect(requests).toBe(2);
});

it('waits for a body as long as parts of it arrive', async () => {
  const arrivals = channel('undici:request:bodyChunkReceived');
  let arrived = (): void => {};
  const onArrival = (): void => arrived();
  arrivals.subscribe(onArrival);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
    arrivals.unsubscribe(onArrival);
  });
  const begun = Promise.withResolvers<ServerResponse>();
  const { read } = await start((_, response) => begun.resolve(response), {
    ...patient,
    silenceMs: limits.silenceMs,
  });
  const reading = read();
  const response = await begun.promise;
  const send = (part: string): Promise<void> =>
    new Promise((resolve, reject) => {
      arrived = resolve;
      response.once('close', () => reject(new Error('given up')));
      response.write(part);
    });

  for (const part of ['{"Item":', '{"username":', '{"S":"小明"}}']) {
    await send(part);
    vi.advanceTimersByTime(700);
  }
  response.end('}');

  await expect(reading).resolves.toMatchObject({ Item: { username: '小明' } });
});

it('knows the errors of the service, whose headers may come twice', async () => {
  const { read } = await start((request, response) => {
    request.resume().on('end', () => {
      response.setHeader('retry-after', ['1', '2']);
      response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(
        '{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"no table"}',
      );
    });
  });

  await expect(read()).rejects.toMatchObject({ name: 'ResourceNotFoundException', message: 'no table' });
});

it('is unavailable where nobody listens', async () => {
  const { read, server } = await start(respond);
  server.close();
  await once(server, 'close');

  const error = await read().catch(asUnavailable);

  expect(error).toMatchObject({ code: 'unavailable', reason: 'AWS: Error: ECONNREFUSED' });
});
