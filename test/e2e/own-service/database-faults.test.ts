import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Database, startDatabase } from 'local-aws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalService } from '../../../local/service.ts';
import { startTestService } from '../../fixtures/local-service.ts';
import type { Answer } from '../service.ts';

describe('trouble with DynamoDB while a token is decided about', () => {
  let engine: Database;
  let proxy: Server;
  let service: LocalService;
  let trouble: 'none' | 'throttled' | 'silent' = 'none';

  /** A service of its own, whose database fails in the one operation that revocation is read with. */
  beforeAll(async () => {
    engine = await startDatabase();
    proxy = createServer((incoming, outgoing) => {
      const reading = String(incoming.headers['x-amz-target']).endsWith('BatchGetItem');
      if (reading && trouble === 'silent') return;
      if (reading && trouble === 'throttled') {
        outgoing.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
        outgoing.end(
          '{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow down"}',
        );
        return;
      }
      const { method, headers, url = '/' } = incoming;
      const onward = httpRequest(new URL(url, engine.endpoint), { method, headers }, (response) => {
        outgoing.writeHead(response.statusCode ?? 500, response.headers);
        response.pipe(outgoing);
      });
      incoming.pipe(onward.on('error', () => outgoing.destroy()));
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as AddressInfo;
    service = await startTestService({ dynamodbEndpoint: `http://127.0.0.1:${port}` });
  });
  afterAll(async () => {
    await service.close();
    proxy.closeAllConnections();
    proxy.close();
    await engine.stop();
  });

  it('is 503 and no refusal, and passes with the trouble', async () => {
    const login = await fetch(`${service.url}/member/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"code":"demo-trouble"}',
    });
    const { token } = ((await login.json()) as Answer['body']).data;
    const openRoute = async () => {
      const response = await fetch(`${service.url}/member/me`, {
        headers: { authorization: `Bearer ${token}` },
      });
      return { retryAfter: response.headers.get('retry-after'), body: await response.json() };
    };

    for (const kind of ['throttled', 'silent'] as const) {
      trouble = kind;
      expect(await openRoute(), kind).toMatchObject({
        retryAfter: '2',
        body: { code: 503, error: 'unavailable' },
      });
      trouble = 'none';
      expect(await openRoute(), kind).toMatchObject({ body: { code: 200 } });
    }
  });
});
