import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startDatabase } from 'local-aws';
import { expect, it, onTestFinished } from 'vitest';
import type { Answer } from './service.ts';
import { startVariant } from './variant.ts';

/** A database that can fail in the one operation that revocation is read with. */
async function startFailingDatabase() {
  const state = { trouble: 'none' as 'none' | 'throttled' | 'silent' };
  const engine = await startDatabase();
  const proxy = createServer((incoming, outgoing) => {
    const reading = String(incoming.headers['x-amz-target']).endsWith('BatchGetItem');
    if (reading && state.trouble === 'silent') return;
    if (reading && state.trouble === 'throttled') {
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
  onTestFinished(async () => {
    proxy.closeAllConnections();
    proxy.close();
    await engine.stop();
  });
  return { state, endpoint: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
}

it('trouble with DynamoDB while a token is decided about is 503 and no refusal, and passes with the trouble', async () => {
  const { state, endpoint } = await startFailingDatabase();
  const { url } = await startVariant({ dynamodbEndpoint: endpoint });
  const login = await fetch(`${url}/member/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"code":"demo-trouble"}',
  });
  const { token } = ((await login.json()) as Answer['body']).data;
  const openRoute = async () => {
    const response = await fetch(`${url}/member/me`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return { retryAfter: response.headers.get('retry-after'), body: await response.json() };
  };

  for (const kind of ['throttled', 'silent'] as const) {
    state.trouble = kind;
    expect(await openRoute(), kind).toMatchObject({
      retryAfter: '2',
      body: { code: 503, error: 'unavailable' },
    });
    state.trouble = 'none';
    expect(await openRoute(), kind).toMatchObject({ body: { code: 200 } });
  }
});
