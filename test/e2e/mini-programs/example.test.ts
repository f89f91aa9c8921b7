/** The example mini-program against the running service: what it makes of real envelopes, tokens and refusals. */
import { afterAll, expect, inject, it, vi } from 'vitest';
import { readPreparedExample, type Shown, startApp } from '../../examples/host/app.ts';
import { createWx, type Reply, type Sent } from '../../examples/host/wx.ts';
import { expectCleanLogs, keepSecret, newOpenid, post, tapPhoneButton, wxLogin } from '../service.ts';

const files = await readPreparedExample();

afterAll(expectCleanLogs);

/** Sends what is meant for `npm start` to the service of this run. */
async function send({ method, url, header, data }: Sent): Promise<Reply> {
  const target = url.replace('http://127.0.0.1:3000', inject('baseUrl'));
  const response = await fetch(target, { method, headers: header, body: data ?? null });
  return {
    statusCode: response.status,
    data: await response.json(),
    header: Object.fromEntries(response.headers),
  };
}

function start(login: () => Promise<string>, decisions = [true]) {
  const wx = createWx({ login, answer: send, decisions });
  const app = startApp(files, wx);
  return { wx, open: (name: string) => app.open(`pages/${name}/${name}`) };
}

const showing = (page: Shown, kind: string) =>
  vi.waitFor(() => expect(page.data.status).toMatchObject({ kind }), { timeout: 60_000, interval: 10 });

/** What the client keeps: the token must not be found in a log. */
const hideTokens = ({ storage }: ReturnType<typeof createWx>) => {
  for (const value of storage.values())
    for (const [token] of String(value).matchAll(/eyJ[\w.-]+/g)) keepSecret(token);
};

it('a project without an AppID is logged in, whose mock code the service itself refuses', async () => {
  const { open, wx } = start(async () => 'the code is a mock one');
  const home = open('home');
  await showing(home, 'ready');
  hideTokens(wx);
  expect(home.data).toMatchObject({ profile: { user_id: expect.any(String) } });

  const { status, body } = await post('/member/login', { code: 'the code is a mock one' });
  expect(status).toBe(401);
  expect(body.error).toBe('invalid_code');
});

it('a member logs in silently, logs out, and is asked before the next login', async () => {
  const openid = newOpenid();
  const { open, wx } = start(() => wxLogin({ openid }));
  await showing(open('home'), 'ready');
  hideTokens(wx);
  const account = open('account');
  await showing(account, 'ready');
  await account.fire('onLogout');

  const home = open('home');
  await showing(home, 'logged-out');
  expect(wx.state.logins).toBe(1);
  await home.fire('onAct', { action: 'login' });
  await showing(home, 'ready');
  hideTokens(wx);
});

it('a logout everywhere reaches the other phone, which logs in again by itself', async () => {
  const openid = newOpenid();
  const [first, second] = [start(() => wxLogin({ openid })), start(() => wxLogin({ openid }))];
  for (const { open, wx } of [first, second]) {
    await showing(open('home'), 'ready');
    hideTokens(wx);
  }
  const account = first.open('account');
  await showing(account, 'ready');
  await account.fire('onLogoutAll');

  const profile = second.open('profile');
  await showing(profile, 'ready');
  hideTokens(second.wx);
  expect(second.wx.state.logins).toBe(2);
});

it('a member saves a nickname, binds and unbinds a phone number, and deletes the account', async () => {
  const openid = newOpenid();
  const phone = keepSecret('13800138002');
  const { open, wx } = start(() => wxLogin({ openid }), [true, true, true]);
  const profile = open('profile');
  await showing(profile, 'ready');
  hideTokens(wx);

  await profile.fire('onSave', { value: { nickname: '小明' } });
  await profile.fire('onPhone', { code: await tapPhoneButton({ openid, phone }), errMsg: 'ok' });
  expect(profile.data).toMatchObject({ profile: { username: '小明', phone: '+86 138******02' } });
  await profile.fire('onUnbindPhone');
  expect(profile.data).toMatchObject({ profile: { username: '小明', phone: null } });
  expect(wx.toasts).toHaveLength(3);

  const account = open('account');
  await showing(account, 'ready');
  await account.fire('onDelete');
  expect(account.data.status).toMatchObject({ kind: 'done', action: 'login' });
  await account.fire('onAct', { action: 'login' });
  await showing(account, 'ready');
  hideTokens(wx);
  expect(account.data.userId).not.toBe((profile.data.profile as { user_id: string }).user_id);
});
