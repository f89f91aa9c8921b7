import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
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

/** The request that a client would send to open its connection. */
async function requestOfOpening(): Promise<unknown> {
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  onTestFinished(() => void vi.unstubAllEnvs());
  const client = createDocumentClient();
  const handle = vi.spyOn(client.config.requestHandler, 'handle').mockRejectedValue(new Error('not sent'));
  await expect(openConnection(client, 'users')).rejects.toThrow('not sent');
  return handle.mock.calls[0]?.[0];
}

it('looks into no file of settings, which would cost each start time', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'wechat-login-settings-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, 'config');
  writeFileSync(file, '[default]\nendpoint_url = http://127.0.0.1:1\n');
  vi.stubEnv('AWS_CONFIG_FILE', file);

  expect(await requestOfOpening()).toMatchObject({ hostname: 'dynamodb.eu-west-1.amazonaws.com' });
});

it.each(['AWS_ENDPOINT_URL_DYNAMODB', 'AWS_ENDPOINT_URL'])(
  'calls the service that %s names',
  async (name) => {
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:1');
    vi.stubEnv(name, 'http://127.0.0.1:2');

    expect(await requestOfOpening()).toMatchObject({ hostname: '127.0.0.1', port: 2 });
  },
);
