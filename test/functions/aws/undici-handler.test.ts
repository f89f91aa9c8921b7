import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createDocumentClient } from '../../../functions/aws/clients.ts';
import { asUnavailable } from '../../../functions/aws/unavailable.ts';
import { createUndiciHandler } from '../../../functions/aws/undici-handler.ts';

/** A DynamoDB, and a client over undici. */
async function start(listener: RequestListener) {
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
  });
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  const client = createDocumentClient(handler);
  const read = () => client.send(new GetCommand({ TableName: 'users', Key: { pk: 'u' } }));
  return { read, sockets, server };
}

const answer: RequestListener = (request, response) => {
  request.resume().on('end', () => {
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
    // In two parts, cut in the middle of a character.
    const bytes = Buffer.from('{"Item":{"username":{"S":"小明"}}}');
    response.write(bytes.subarray(0, 27));
    setImmediate(() => response.end(bytes.subarray(27)));
  });
};

it('reads a response of several parts, and keeps a connection for each request at a time', async () => {
  const { read, sockets } = await start(answer);

  const first = await Promise.all([read(), read()]);
  const second = await Promise.all([read(), read()]);

  for (const { Item } of [...first, ...second]) expect(Item).toEqual({ username: '小明' });
  expect(sockets).toHaveLength(2);
});

it('connects anew when a kept connection has ended', async () => {
  const { read, sockets } = await start(answer);
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
    else answer(request, response);
  });

  await expect(read()).resolves.toMatchObject({ Item: { username: '小明' } });
  expect(requests).toBe(2);
});

it('knows the errors of the service', async () => {
  const { read } = await start((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(
        '{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"no table"}',
      );
    });
  });

  await expect(read()).rejects.toMatchObject({ name: 'ResourceNotFoundException', message: 'no table' });
});

it('is unavailable where nobody listens', async () => {
  const { read, server } = await start(answer);
  server.close();
  await once(server, 'close');

  const error = await read().catch(asUnavailable);

  expect(error).toMatchObject({ code: 'unavailable', reason: 'AWS: Error: ECONNREFUSED' });
});
