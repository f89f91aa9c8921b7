import { afterAll, describe, expect, inject, it } from 'vitest';
import { type Finished, runCommand } from '../../fixtures/operator-command.ts';
import { expectCleanLogs, newOpenid, post, wxLogin } from '../service.ts';

afterAll(expectCleanLogs);

const operate = (...args: string[]): Promise<Finished> =>
  runCommand('members', [...args, '--table', inject('usersTable'), '--local', inject('dynamodbEndpoint')]);

describe('an operator', () => {
  it('finds a user by openid, bans them, takes it back, and erases them', async () => {
    const openid = newOpenid();
    const login = async () => post('/member/login', { code: await wxLogin({ openid }) });
    const { user_id: userId } = (await login()).body.data;
    const change = (command: string, ...more: string[]) =>
      operate(command, '--user-id', userId, '--reason', 'end-to-end test', ...more);

    const found = await operate('find', '--json', '--openid', openid);
    expect(found.stdout + found.stderr).not.toContain(openid);
    expect(JSON.parse(found.stdout)).toMatchObject([{ user_id: userId, status: 'active' }]);

    expect(await change('ban')).toMatchObject({ status: 0 });
    expect((await login()).body).toMatchObject({ code: 403, error: 'user_banned' });

    expect(await change('unban')).toMatchObject({ status: 0 });
    expect((await login()).body.data).toMatchObject({ user_id: userId, is_new: false });

    expect(await change('erase', '--yes')).toMatchObject({ status: 0 });
    const again = (await login()).body.data;
    expect(again.is_new).toBe(true);
    expect(again.user_id).not.toBe(userId);
  });

  it('ends with a ban or an erasure also what the code of a moment ago could still open', async () => {
    const openid = newOpenid();
    const code = await wxLogin({ openid });
    const repeat = () => post('/member/login', { code });
    const { user_id: userId } = (await repeat()).body.data;
    const change = (command: string, ...more: string[]) =>
      operate(command, '--user-id', userId, '--reason', 'end-to-end test', ...more);

    await change('ban');
    expect((await repeat()).body).toMatchObject({ code: 403, error: 'user_banned' });
    await change('unban');
    expect((await repeat()).body).toMatchObject({ code: 401, error: 'code_used' });
    await change('erase', '--yes');
    expect((await repeat()).body).toMatchObject({ code: 401, error: 'code_used' });

    const again = await post('/member/login', { code: await wxLogin({ openid }) });
    expect(again.body.data).toMatchObject({ is_new: true });
  });

  it('finds a user by the unionid that WeChat tells at a later login only', async () => {
    const openid = newOpenid();
    const unionid = newOpenid();
    const login = async (user: object) => post('/member/login', { code: await wxLogin({ openid, ...user }) });
    const { user_id: userId } = (await login({})).body.data;

    await login({ unionid });

    const found = await operate('find', '--json', '--unionid', unionid);
    expect(JSON.parse(found.stdout)).toMatchObject([{ user_id: userId }]);
  });
});
