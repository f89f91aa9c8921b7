import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openidGuardKey } from '../../functions/contracts/table.ts';
import { createUsers } from '../../functions/users/find-or-create.ts';
import { type RunOptions, runCommand, spawnCommand } from '../fixtures/operator-command.ts';
import { startUsersTable, type UsersTable } from '../fixtures/users-table.ts';

const appid = 'wx0123456789abcdef';
const nobody = 'c0ffee00-0000-4000-8000-000000000000';

let table: UsersTable;
beforeAll(async () => {
  table = await startUsersTable();
});
afterAll(() => table.stop());

let people = 0;
async function logIn() {
  const openid = `oSECRET${'A'.repeat(16)}${String(++people).padStart(5, '0')}`;
  const users = createUsers({ client: table.client, tableName: table.tableName, now: Date.now });
  const { user } = await users.findOrCreateUser({ appid, openid }, { username: '小明', sex: 1, avatar: '' });
  return { userId: user.userId, openid };
}

const members = (args: readonly string[], options?: RunOptions) => runCommand('members', args, options);
const local = (...args: string[]) => [...args, '--table', table.tableName, '--local', table.endpoint];

describe('the operator command, on a local run', () => {
  it('finds a user, masked unless everything is asked for', async () => {
    const { userId, openid } = await logIn();

    const masked = await members(local('find', '--json', '--openid', openid));
    const shown = await members(local('find', '--json', '--user-id', userId, '--show'));

    expect(masked.stderr + masked.stdout).not.toContain(openid);
    expect(JSON.parse(masked.stdout)).toMatchObject([
      { user_id: userId, openid: 'oSEC…(28)', username: '小明' },
    ]);
    expect(JSON.parse(shown.stdout)).toMatchObject([{ user_id: userId, openid }]);
    expect([masked.status, shown.status]).toEqual([0, 0]);
  });

  it('shows a user for a person to read, with what was done', async () => {
    const { userId, openid } = await logIn();
    await members(local('ban', '--user-id', userId, '--reason', 'spam, ticket 7'));

    const { stdout } = await members(local('find', '--user-id', userId));

    expect(stdout).toMatch(new RegExp(`^user_id +${userId}\nappid +${appid}\nopenid +oSEC…\\(28\\)\n`));
    expect(stdout).toMatch(/^status +banned$/m);
    expect(stdout).toMatch(/What was done about the user\n {2}\S+Z {2}ban {2}local:\S+ {2}spam, ticket 7\n$/);
    expect(stdout).not.toMatch(/unionid|undefined/);
    expect(stdout).not.toContain(openid);
  });

  it('bans, takes the ban back and revokes, and shows who did it and why', async () => {
    const { userId } = await logIn();

    const startedAt = Math.floor(Date.now() / 1000);
    const statuses: unknown[] = [];
    for (const command of ['ban', 'unban', 'revoke']) {
      const finished = await members(local(command, '--user-id', userId, '--reason', `reason to ${command}`));
      expect(finished, finished.stderr).toMatchObject({ status: 0, stderr: '' });
      statuses.push((await table.item(userId))?.status);
    }

    expect(statuses).toEqual(['banned', 'active', 'active']);
    expect((await table.item(userId))?.tokens_valid_after).toBeGreaterThanOrEqual(startedAt);
    const [user] = JSON.parse((await members(local('find', '--json', '--user-id', userId))).stdout);
    expect(user.changes).toEqual(
      ['ban', 'unban', 'revoke'].map((what) => ({
        what,
        at: expect.stringMatching(/^\d{4}-.*Z$/),
        by: expect.stringMatching(/^local:./),
        reason: `reason to ${what}`,
      })),
    );
  });

  it('erases only after a yes', async () => {
    const { userId, openid } = await logIn();
    const erase = local('erase', '--user-id', userId, '--reason', 'asked for it');

    for (const input of ['', '\n', 'no\n', 'y\n']) {
      const finished = await members(erase, { input });
      expect(finished).toMatchObject({ status: 1, stderr: expect.stringContaining('Nothing was erased') });
      expect(finished.stderr).not.toContain(openid);
    }
    expect(await table.item(userId)).toBeDefined();

    expect(await members(erase, { input: 'yes\n' })).toMatchObject({ status: 0 });
    expect(await table.item(userId)).toBeUndefined();
    expect(await table.item(openidGuardKey(appid, openid))).toBeUndefined();
    expect(await members(local('find', '--user-id', userId))).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/There is no user .*erase on .* by local:.*: asked for it/),
    });
  });

  it('erases without a question when told so', async () => {
    const { userId } = await logIn();

    const finished = await members(local('erase', '--user-id', userId, '--reason', 'asked', '--yes'));

    expect(finished).toMatchObject({ status: 0, stderr: '' });
    expect(await table.item(userId)).toBeUndefined();
  });

  it('ends by itself as a process of its own, whatever else is typed after the yes', async () => {
    const { userId } = await logIn();

    const finished = await spawnCommand('members', local('erase', '--user-id', userId, '--reason', 'asked'), {
      input: 'yes\nand more\n',
    });

    expect(finished, finished.stderr).toMatchObject({ status: 0 });
    expect(await table.item(userId)).toBeUndefined();
  });

  it('exports all that is held for a person to read, with the phone number as its owner knows it', async () => {
    const { userId } = await logIn();
    await table.put({
      ...(await table.item(userId)),
      phone: { e164: '+8613800138000', country_code: '86', bound_at: 1, code_hash: 'h' },
    });

    const masked = await members(local('export', '--user-id', userId));
    const shown = await members(local('export', '--show', '--user-id', userId));

    expect(masked.stdout).toMatch(/created_at +20\d\d-\d\d-\d\dT/);
    expect(masked.stdout).toContain('+86 138******00');
    expect(masked.stdout).not.toContain('13800138000');
    expect(shown.stdout).toContain('+8613800138000');
    const found = await members(local('find', '--json', '--phone', '+8613800138000'));
    expect(JSON.parse(found.stdout)).toMatchObject([{ user_id: userId, phone: '+86 138******00' }]);
  });

  it('shows the closed accounts, and opens one again', async () => {
    const { userId } = await logIn();
    const closesAt = 1_893_456_000;
    await table.put({ ...(await table.item(userId)), status: 'closing', closes_at: closesAt });

    const { stdout } = await members(local('closing', '--json'));
    expect(JSON.parse(stdout)).toEqual([{ user_id: userId, closes_at: '2030-01-01T00:00:00.000Z' }]);
    expect((await members(local('closing'))).stdout).toMatch(
      new RegExp(`^user_id +closes_at\n${userId}  2030-01-01T00:00:00.000Z\n$`),
    );

    expect((await members(local('restore', '--user-id', userId, '--reason', 'they called'))).status).toBe(0);
    expect((await members(local('closing'))).stdout).toBe('No account is closed.\n');
    expect(await table.item(userId)).toMatchObject({ status: 'active' });
  });

  it('exports all that is held as JSON and nothing else', async () => {
    const { userId, openid } = await logIn();

    const { stdout, status } = await members(local('export', '--json', '--user-id', userId));

    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      user: await table.item(userId),
      openid_guard: { pk: openidGuardKey(appid, openid), user_id: userId },
      changes: [],
    });
  });

  it('ends with 1 when there is no such user', async () => {
    const reason = ['--reason', 'x'];
    for (const args of [
      ['find', '--openid', 'oSECRET'],
      ['find', '--unionid', 'oSECRET'],
      ['export', '--user-id', nobody],
      ['ban', '--user-id', nobody, ...reason],
      ['erase', '--user-id', nobody, ...reason],
      ['erase', '--user-id', nobody, ...reason, '--yes'],
    ]) {
      const { status, stdout, stderr } = await members(local(...args));
      expect({ status, stdout }, args.join(' ')).toEqual({ status: 1, stdout: '' });
      expect(stderr).toContain('There is no ');
      expect(stderr).not.toContain('oSECRET');
    }
  });

  it('ends with 2 and the usage when the command line is wrong', async () => {
    expect(await members(['ban', '--user-id', nobody])).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(/--reason.*\n\nUsage: /),
    });
  });

  it('says in a sentence, without what it was asked for, that the table is not there', async () => {
    const finished = await members([
      'find',
      '--openid',
      'oSECRET',
      '--table',
      'other',
      '--local',
      table.endpoint,
    ]);

    expect(finished).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('ResourceNotFound'),
    });
    expect(finished.stderr).not.toMatch(/SECRET|\n {4}at /);
  });
});

describe('the operator command, on a deployed stage', () => {
  const operator = 'arn:aws:sts::123456789012:assumed-role/Support/li';

  /** Answers what STS and Parameter Store would, for one parameter. */
  async function startAws(parameter: string, aheadMs = 0): Promise<Record<`AWS_${string}`, string>> {
    const server = createServer(async (request, response) => {
      const body = await text(request);
      response.setHeader('date', new Date(Date.now() + aheadMs).toUTCString());
      if (request.headers['x-amz-target'] === undefined) {
        expect(body).toContain('Action=GetCallerIdentity');
        response.setHeader('content-type', 'text/xml');
        return response.end(
          `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>${operator}</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`,
        );
      }
      expect(request.headers['x-amz-target']).toBe('AmazonSSM.GetParameter');
      response.setHeader('content-type', 'application/x-amz-json-1.1');
      const { Name } = JSON.parse(body) as { Name: string };
      if (Name === parameter)
        return response.end(JSON.stringify({ Parameter: { Name, Value: table.tableName } }));
      response.statusCode = 400;
      return response.end(JSON.stringify({ __type: 'ParameterNotFound' }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.close();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return {
      AWS_REGION: 'cn-north-1',
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 'b',
      AWS_ENDPOINT_URL_STS: url,
      AWS_ENDPOINT_URL_SSM: url,
      AWS_ENDPOINT_URL_DYNAMODB: table.endpoint,
    };
  }

  it('looks the table up, and records whose credentials were used', async () => {
    const { userId } = await logIn();
    const aws = await startAws('/wechat-login/prod/users-table');

    for (const where of [
      ['--stage', 'prod'],
      ['--table', table.tableName],
    ]) {
      const finished = await members(['ban', '--user-id', userId, '--reason', 'spam', ...where], { aws });
      expect(finished, finished.stderr).toMatchObject({ status: 0, stderr: '' });
    }

    expect(await table.item(userId)).toMatchObject({ status: 'banned' });
    const { stdout } = await members(local('find', '--json', '--user-id', userId));
    expect(JSON.parse(stdout)).toMatchObject([{ changes: [{ by: operator }, { by: operator }] }]);
  });

  it('dates a revocation by the clock of AWS, not by that of this machine', async () => {
    const { userId } = await logIn();
    const loggedInAt = Date.now();
    const aheadMs = 4 * 60_000;
    const aws = await startAws('/wechat-login/prod/users-table', aheadMs);

    const finished = await members(['revoke', '--user-id', userId, '--reason', 'stolen', '--stage', 'prod'], {
      aws,
    });

    expect(finished, finished.stderr).toMatchObject({ status: 0 });
    const { tokens_valid_after: date } = (await table.item(userId)) ?? {};
    // The clock of this machine is minutes away from that, however long the command takes.
    expect(date).toBeGreaterThan((loggedInAt + aheadMs) / 1000);
  });

  it('says that a stage is not there, or that there is no region or are no credentials, and what to set', async () => {
    const aws = await startAws('/wechat-login/prod/users-table');
    const find = ['find', '--user-id', nobody, '--stage', 'staging'];

    expect(await members(find, { aws })).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/no parameter \/wechat-login\/staging\/users-table in cn-north-1/),
    });
    const nothing = {
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/nowhere',
      AWS_SHARED_CREDENTIALS_FILE: '/nowhere',
    };
    for (const [variables, words] of [
      [nothing, 'Region is missing'],
      [{ ...nothing, AWS_REGION: 'cn-north-1' }, 'credentials'],
    ] as const)
      expect(await members(find, { aws: variables })).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(new RegExp(`^Could not .*${words}.*: set AWS_REGION and AWS_PROFILE`)),
      });
  });
});
