import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createDocumentClient, createSecretsClient, openConnection } from '../../../functions/aws/clients.ts';
import { asUnavailable } from '../../../functions/aws/unavailable.ts';
import { createUndiciHandler } from '../../../functions/aws/undici-handler.ts';

/** An AWS that says nothing to calls with `silent` in them, and half a response to others. */
async function startServer(): Promise<void> {
  const server = createServer(async (request, response) => {
    if ((await text(request)).includes('silent')) return;
    response
      .writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': 100 })
      .write('{');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
    vi.unstubAllEnvs();
  });
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
}

it('gives up, retries included, on a service that says nothing, and on one that stops in the middle of its response', async () => {
  await startServer();

  const outcomes = await Promise.allSettled(
    [undefined, createUndiciHandler()].flatMap((handler) =>
      ['silent', 'stalling'].flatMap((name) => [
        openConnection(createDocumentClient(handler), name),
        createSecretsClient(handler).send(new GetSecretValueCommand({ SecretId: name })),
      ]),
    ),
  );

  const timedOut = { status: 'rejected', reason: expect.objectContaining({ name: 'TimeoutError' }) };
  expect(outcomes).toEqual(Array(8).fill(timedOut));
  for (const outcome of outcomes)
    expect(outcome.status === 'rejected' && asUnavailable(outcome.reason)).toMatchObject({
      code: 'unavailable',
    });
});
