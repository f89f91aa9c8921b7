import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createDocumentClient, createSecretsClient, openConnection } from '../../../functions/aws/clients.ts';

/** An AWS that takes every request and answers none. */
async function startSilentServer(): Promise<void> {
  const server = createServer(() => {}).listen(0, '127.0.0.1');
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

it('gives up on a service that does not answer, retries included, in about 4 s', async () => {
  await startSilentServer();
  const startedAt = performance.now();

  const outcomes = await Promise.allSettled([
    openConnection(createDocumentClient(), 'users'),
    createSecretsClient().send(new GetSecretValueCommand({ SecretId: 'keys' })),
  ]);

  expect(outcomes).toEqual([
    { status: 'rejected', reason: expect.objectContaining({ name: 'TimeoutError' }) },
    { status: 'rejected', reason: expect.objectContaining({ name: 'TimeoutError' }) },
  ]);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
}, 10_000);
