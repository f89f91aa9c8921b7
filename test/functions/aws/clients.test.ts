import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createDocumentClient, createSecretsClient, openConnection } from '../../../functions/aws/clients.ts';
import { asUnavailable } from '../../../functions/aws/unavailable.ts';

/** An AWS that answers every request alike. */
async function startServer(answer: RequestListener): Promise<void> {
  const server = createServer(answer).listen(0, '127.0.0.1');
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

const silent: RequestListener = () => {};
const stalling: RequestListener = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': 100 }).write('{');
};

it.each([
  ['does not answer', silent],
  ['stops in the middle of its answer', stalling],
])('gives up, retries included, on a service that %s', async (_, answer) => {
  await startServer(answer);

  const outcomes = await Promise.allSettled([
    openConnection(createDocumentClient(), 'users'),
    createSecretsClient().send(new GetSecretValueCommand({ SecretId: 'keys' })),
  ]);

  expect(outcomes).toEqual([
    { status: 'rejected', reason: expect.objectContaining({ name: 'TimeoutError' }) },
    { status: 'rejected', reason: expect.objectContaining({ name: 'TimeoutError' }) },
  ]);
  for (const outcome of outcomes)
    expect(outcome.status === 'rejected' && asUnavailable(outcome.reason)).toMatchObject({
      code: 'unavailable',
    });
});
