import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type LocalSecretsManager, startSecretsManager } from 'local-aws';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parseKeyRing } from '../../functions/keys/key-ring.ts';
import { createRotation } from '../../functions/keys/rotation.ts';
import { runCommand, spawnCommand } from '../fixtures/operator-command.ts';
import { localIdentity, startUsersTable, type UsersTable } from '../fixtures/users-table.ts';

const keyRingArn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:key-ring-AbCdEf';
const NOBODY = 'http://127.0.0.1:2';

let table: UsersTable;
let service: LocalSecretsManager;
let client: SecretsManagerClient;

beforeAll(async () => {
  table = await startUsersTable();
  service = await startSecretsManager({
    secrets: [{ arn: keyRingArn, name: 'key-ring', value: 'placeholder' }],
    invokeRotation: async (step) => {
      await rotation(step);
    },
  });
  client = new SecretsManagerClient({ ...localIdentity, endpoint: service.endpoint });
  const rotation = createRotation({ secrets: client, keyRingArn, table, now: Date.now });
  await service.rotate(keyRingArn);
});
afterAll(async () => {
  client.destroy();
  await service.close();
  await table.stop();
});

const signingKid = async (): Promise<string | undefined> => {
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: keyRingArn }));
  return parseKeyRing(SecretString)?.current.kid;
};

const aws = () =>
  ({
    AWS_ACCESS_KEY_ID: 'operator',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_SECRETS_MANAGER: service.endpoint,
  }) as const;

const rotateKeys = (...args: string[]) => runCommand('rotate-keys', args, { aws: aws() });

describe('npm run rotate-keys', () => {
  it('takes a named key out of use although the issuer does not answer, and says what it could not see', async () => {
    const compromised = (await signingKid()) ?? '';

    const named = ['--key-ring', keyRingArn, '--issuer', NOBODY];
    const { status, stderr } = await spawnCommand('rotate-keys', [...named, `--drop=${compromised}`], {
      aws: aws(),
    });

    expect(await signingKid()).not.toBe(compromised);
    expect(status).toBe(1);
    expect(stderr).toBe(
      `Rotated, but ${NOBODY} does not answer for its public keys: look at them once it publishes them.\n`,
    );
  });

  it('tells an issuer that answers 503 from one that does not answer', async () => {
    const broken = createServer((_, response) => response.writeHead(503).end()).listen(0, '127.0.0.1');
    await once(broken, 'listening');
    onTestFinished(() => void broken.close());
    const issuer = `http://127.0.0.1:${(broken.address() as AddressInfo).port}`;

    const { stderr } = await rotateKeys('--key-ring', keyRingArn, '--issuer', issuer);

    expect(stderr).toBe(
      `Rotated, but ${issuer} answers 503 for its public keys: look at them once it publishes them.\n`,
    );
  });

  it('cannot tell which keys are all of them when the issuer does not answer', async () => {
    const before = await signingKid();

    const { status, stderr } = await rotateKeys('--key-ring', keyRingArn, '--issuer', NOBODY, '--drop=all');

    expect(status).toBe(1);
    expect(stderr).toContain('name those to drop, as --drop=<kid>');
    expect(await signingKid()).toBe(before);
  });

  it.each([
    [[]],
    [['--stage', 'prod', '--key-ring', keyRingArn]],
    [['--key-ring', 'not-an-arn', '--issuer', NOBODY]],
    [['--key-ring', keyRingArn, '--issuer', 'login.example.com']],
  ])('explains itself when called as %j', async (args) => {
    const { status, stderr } = await rotateKeys(...args);

    expect(status).toBe(2);
    expect(stderr).toContain('Usage: npm run rotate-keys');
  });
});
