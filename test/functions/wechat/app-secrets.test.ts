import { inspect } from 'node:util';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type LocalSecretsManager, startSecretsManager } from 'local-aws';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAppSecrets } from '../../../functions/wechat/app-secrets.ts';

const secretArn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:wechat-AbCdEf';

let service: LocalSecretsManager;
let client: SecretsManagerClient;
let clock: { ms: number };

beforeEach(async () => {
  service = await startSecretsManager({ secrets: [{ arn: secretArn, name: 'wechat', value: '{}' }] });
  client = new SecretsManagerClient({
    endpoint: service.endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  clock = { ms: 0 };
});
afterEach(async () => {
  client.destroy();
  await service.close();
});

const fillIn = (text: string) =>
  client.send(new PutSecretValueCommand({ SecretId: secretArn, SecretString: text }));
const create = () => createAppSecrets({ client, secretArn, now: () => clock.ms });

describe('the AppSecrets', () => {
  it('an AppSecret is found by its appid', async () => {
    await fillIn('{"wx1":"first","wx2":"second"}');

    expect(await create().secretFor('wx2')).toBe('second');
  });

  it.each(['{}', '{"wx2":"x"}', '{"wx1":""}', '{"wx1":5}', '[]', 'null', 'my-secret-text', ''])(
    'are misconfigured while the secret holds %j, and say so without quoting it',
    async (text) => {
      if (text !== '') await fillIn(text);

      const error = await create()
        .secretFor('wx1')
        .catch((thrown: unknown) => thrown);

      expect(error).toMatchObject({ code: 'wechat_misconfigured' });
      expect(inspect(error, { depth: 10 })).not.toContain('my-secret-text');
    },
  );

  it('an AppSecret is found soon after it was filled in, without a restart', async () => {
    const secrets = create();
    await expect(secrets.secretFor('wx1')).rejects.toMatchObject({ code: 'wechat_misconfigured' });

    await fillIn('{"wx1":"filled"}');
    clock.ms += 10_000;
    expect(await secrets.secretFor('wx1')).toBe('filled');
  });

  it('the AppSecrets are read again when WeChat has refused one, but not for every request', async () => {
    await fillIn('{"wx1":"old"}');
    const secrets = create();
    await secrets.secretFor('wx1');
    await fillIn('{"wx1":"new"}');

    clock.ms += 9_999;
    expect(await secrets.renewedSecretFor('wx1')).toBe('old');
    clock.ms += 1;
    expect(await secrets.renewedSecretFor('wx1')).toBe('new');
  });

  it('names that every object has are no appids', async () => {
    await fillIn('{"wx1":"x"}');

    await expect(create().secretFor('constructor')).rejects.toMatchObject({ code: 'wechat_misconfigured' });
    await expect(create().secretFor('__proto__')).rejects.toMatchObject({ code: 'wechat_misconfigured' });
  });

  it('the AppSecrets are there for whoever waits as long as a failed read told them to', async () => {
    await fillIn('{"wx1":"first"}');
    const secrets = create();
    let away = true;
    client.middlewareStack.add(
      (next) => (args) => (away ? Promise.reject(new Error('the service is away')) : next(args)),
      { step: 'initialize' },
    );
    await expect(secrets.secretFor('wx1')).rejects.toMatchObject({
      code: 'unavailable',
      retryAfterSeconds: 2,
    });
    away = false;

    clock.ms += 2_000;

    expect(await secrets.secretFor('wx1')).toBe('first');
  });

  it('the AppSecrets are read again although the clock was set back', async () => {
    await fillIn('{"wx1":"old"}');
    const secrets = create();
    await secrets.secretFor('wx1');
    await fillIn('{"wx1":"new"}');

    clock.ms -= 600_000;

    expect(await secrets.renewedSecretFor('wx1')).toBe('new');
  });

  it('the AppSecrets are unavailable, not misconfigured, when Secrets Manager cannot be read', async () => {
    await service.close();

    await expect(create().secretFor('wx1')).rejects.toMatchObject({
      code: 'unavailable',
      retryAfterSeconds: expect.any(Number),
    });
  });
});
