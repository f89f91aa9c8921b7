import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { type LocalSecretsManager, startSecretsManager } from 'local-aws';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Finished, runCommand } from '../fixtures/operator-command.ts';
import { localIdentity } from '../fixtures/users-table.ts';

const secretArn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:wechat-secrets-AbCdEf';
const appid = 'wx0123456789abcdef';
const appSecret = 'a1b2c3d4e5f60718293a4b5c6d7e8f90';

let service: LocalSecretsManager;
let client: SecretsManagerClient;

beforeAll(async () => {
  service = await startSecretsManager({ secrets: [{ arn: secretArn, name: 'wechat-secrets', value: '{}' }] });
  client = new SecretsManagerClient({ ...localIdentity, endpoint: service.endpoint });
});
afterAll(async () => {
  client.destroy();
  await service.close();
});
beforeEach(() => write('{}'));

async function stored(): Promise<string | undefined> {
  return (await client.send(new GetSecretValueCommand({ SecretId: secretArn }))).SecretString;
}

async function write(SecretString: string): Promise<void> {
  await client.send(new PutSecretValueCommand({ SecretId: secretArn, SecretString }));
}

const aws = () =>
  ({
    AWS_ACCESS_KEY_ID: 'operator',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_SECRETS_MANAGER: service.endpoint,
  }) as const;

async function setWechatSecret(args: string[], input = ''): Promise<Finished> {
  const finished = await runCommand('set-wechat-secret', args, { input, aws: aws() });
  expect(finished.stdout + finished.stderr).not.toContain(appSecret);
  return finished;
}

const named = ['--secret-arn', secretArn, '--appid', appid];

describe('npm run set-wechat-secret', () => {
  it.each(['', '\n', '\r\n'])(
    'stores what comes on standard input, up to an end of line (%j)',
    async (end) => {
      const { status, stdout, stderr } = await setWechatSecret(named, appSecret + end);

      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toBe(`Filled in now: ${appid}\nRunning functions follow within 10 seconds.\n`);
      expect(JSON.parse((await stored()) ?? '')).toEqual({ [appid]: appSecret });
    },
  );

  it('keeps the AppSecrets of the other mini-programs', async () => {
    await write('{"wxother":"of another","wx0123456789abcdef":"an older one","wxempty":""}');

    const { stdout } = await setWechatSecret(named, appSecret);

    expect(stdout).toBe(`Filled in now: wxother, ${appid}\nRunning functions follow within 10 seconds.\n`);
    expect(JSON.parse((await stored()) ?? '')).toEqual({
      wxother: 'of another',
      [appid]: appSecret,
      wxempty: '',
    });
  });

  it('asks at a terminal, as a process of its own, and shows nothing of what is typed', async () => {
    const command = `${process.execPath} bin/set-wechat-secret.ts ${named.join(' ')}`;
    // script(1) gives the command a terminal of its own and shows what that shows.
    const terminal = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
      env: { PATH: process.env.PATH, TERM: 'xterm', SHELL: '/bin/sh', ...aws() },
      stdio: 'pipe',
    });
    const shown: string[] = [];
    terminal.stdout.on('data', (chunk: Buffer) => shown.push(String(chunk)));
    await expect.poll(() => shown.join(''), { timeout: 120_000 }).toContain('it is not shown');
    terminal.stdin.write(`${appSecret}x\u007f\r`);
    const [status] = await once(terminal, 'close');

    expect(shown.join('')).not.toContain(appSecret.slice(0, 8));
    expect(shown.join('')).toContain(`Filled in now: ${appid}`);
    expect(status).toBe(0);
    expect(JSON.parse((await stored()) ?? '')).toEqual({ [appid]: appSecret });
  });

  it.each(['', '\n', 'two words', 'two\nlines', '密码', 'x'.repeat(257)])(
    'refuses %j, which is no AppSecret, and changes nothing',
    async (input) => {
      const { status, stderr } = await setWechatSecret(named, input);

      expect(status).toBe(1);
      expect(stderr).toMatch(/No AppSecret was given|That is no AppSecret/);
      if (input.trim() !== '') expect(stderr).not.toContain(input.trim());
      expect(await stored()).toBe('{}');
    },
  );

  it.each([
    [[...named, appSecret]],
    [[...named, '--secret', appSecret]],
    [[...named, `--app-secret=${appSecret}`]],
    [['--secret-arn', secretArn, '--appid', appSecret]],
  ])('refuses an AppSecret as an argument (%#)', async (args) => {
    const { status, stderr } = await setWechatSecret(args, appSecret);

    expect(status).toBe(2);
    expect(stderr).toContain('never an argument');
    expect(await stored()).toBe('{}');
  });

  it.each(['', '[]', '{"wxother":1}', `{"wxother":"${appSecret}"`])(
    'does not overwrite a damaged secret (%#), nor quote it',
    async (damaged) => {
      await write(damaged);

      const { status, stderr } = await setWechatSecret(named, appSecret);

      expect(status).toBe(1);
      expect(stderr).toContain('The secret is damaged, and nothing was changed');
      expect(await stored()).toBe(damaged);
    },
  );

  it.each([
    [[]],
    [['--appid', appid]],
    [['--secret-arn', secretArn]],
    [['--secret-arn', secretArn, '--stage', 'prod', '--appid', appid]],
    [['--secret-arn', 'not-an-arn', '--appid', appid]],
  ])('explains itself when called as %j', async (args) => {
    const { status, stderr } = await setWechatSecret(args, appSecret);

    expect(status).toBe(2);
    expect(stderr).toContain('Usage: npm run set-wechat-secret');
  });
});

describe('npm run set-wechat-secret --push', () => {
  const token = 'a0b1c2d3e4f5a0b1c2d3e4f5a0b1c2d3';
  const key = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG';

  it('adds Token and EncodingAESKey to an AppSecret in its old form, and leaves the others in theirs', async () => {
    await write(JSON.stringify({ [appid]: appSecret, wxother: 'other-secret' }));

    const { status, stdout, stderr } = await setWechatSecret([...named, '--push'], `${token}\n${key}\n`);

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).not.toContain(token);
    expect(JSON.parse((await stored()) ?? '')).toEqual({
      [appid]: { secret: appSecret, push_token: token, encoding_aes_key: key },
      wxother: 'other-secret',
    });
  });

  it('is kept when the AppSecret is filled in anew, and takes an EncodingAESKey away that is not given', async () => {
    await setWechatSecret([...named, '--push'], `${token}\n${key}`);
    await setWechatSecret(named, appSecret);
    const both = { secret: appSecret, push_token: token };

    expect(JSON.parse((await stored()) ?? '')).toEqual({ [appid]: { ...both, encoding_aes_key: key } });
    await setWechatSecret([...named, '--push'], token);
    expect(JSON.parse((await stored()) ?? '')).toEqual({ [appid]: both });
  });

  it.each(['', 'no', 'with space 0', `${token}0`, `${token}\nshort`, `${token}\n${key}=`])(
    'changes nothing for what WeChat would not take: %j',
    async (input) => {
      const { status, stderr } = await setWechatSecret([...named, '--push'], input);

      expect(status).toBe(1);
      if (input.length > 5) expect(stderr).not.toContain(input);
      expect(await stored()).toBe('{}');
    },
  );
});
