/** What the example's pages show and do, for every state of the services that a member can meet. */
import { describe, expect, it, vi } from 'vitest';
import { readPreparedExample, type Shown, startApp } from './host/app.ts';
import { createServices, type Known } from './host/services.ts';
import { createWx, type Device } from './host/wx.ts';

const files = await readPreparedExample();

function start(known: Known = {}, device: Partial<Device> = {}) {
  const services = createServices(known);
  const phone = { login: async () => 'a-code', answer: services.answer, ...device };
  const wx = createWx(phone);
  const app = startApp(files, wx);
  const open = (name: string) => app.open(`pages/${name}/${name}`);
  return { services, phone, wx, app, open };
}

const statusOf = ({ data }: Shown) => data.status as Record<string, string>;

/** Waits for a page to show a kind of status. */
const showing = (page: Shown, kind: string) =>
  vi.waitFor(() => expect(page.data.status).toMatchObject({ kind }), { timeout: 60_000, interval: 1 });

describe('home', () => {
  it('logs in silently, once, and greets the member', async () => {
    const { open, wx, services } = start({ username: '小明' });
    const home = open('home');
    expect(statusOf(home).kind).toBe('loading');
    await showing(home, 'ready');
    expect(home.data).toMatchObject({ profile: { username: '小明' }, initial: '小' });
    open('home');
    await vi.waitFor(() => expect(services.asked).toHaveLength(3), { timeout: 60_000 });
    expect(wx.state.logins).toBe(1);
    expect(wx.dialogs).toEqual([]);
  });

  it.each([
    ['🦊狐', '🦊'],
    ['', '·'],
  ])('shows the first character of a nickname where there is no picture: %j', async (username, initial) => {
    const home = start({ username }).open('home');
    await showing(home, 'ready');
    expect(home.data.initial).toBe(initial);
  });

  it('speaks English where WeChat does, and Chinese after a tap, at the next start too', async () => {
    const { open, wx } = start({}, { language: 'en' });
    const home = open('home');
    expect(wx.state.title).toBe('Login example');
    await home.fire('onLanguage');
    expect(wx.tabs).toEqual(['首页', '订单', '资料', '账号']);
    const again = createWx({
      login: async () => '',
      answer: () => new Promise(() => undefined),
      storage: wx.storage,
    });
    startApp(files, again).open('pages/account/account');
    expect(again.state.title).toBe('账号与安全');
  });

  it('takes a demo user where the developer tools hand out a mock code', async () => {
    const { open, services } = start({}, { login: async () => 'the code is a mock one' });
    await showing(open('home'), 'ready');
    expect(services.asked[0]).toBe('POST /member/login {"code":"demo-devtools"}');
  });

  it('passes the mock code on to any service that is not local, which refuses it', async () => {
    const config = Object.fromEntries(
      Object.entries(files).map(([path, text]) => [
        path,
        path === 'config.js' ? text.replaceAll('http://127.0.0.1:3000', 'https://login.example.com') : text,
      ]),
    );
    const services = createServices({});
    const wx = createWx({ login: async () => 'the code is a mock one', answer: services.answer });
    await showing(startApp(config, wx).open('pages/home/home'), 'ready');
    expect(services.asked[0]).toBe('POST /member/login {"code":"the code is a mock one"}');
  });
});

describe('orders', () => {
  it('shows those of the other team', async () => {
    const { open } = start({ orders: ['oolong tea'] });
    const orders = open('orders');
    await showing(orders, 'ready');
    expect(orders.data.orders).toEqual(['oolong tea']);
  });

  it('says so when there is none', async () => {
    const { open } = start();
    const orders = open('orders');
    await showing(orders, 'empty');
    expect(statusOf(orders).title).toBe('还没有订单');
  });

  it('shows that it loads', () => {
    const { open } = start({ isSlow: true });
    expect(statusOf(open('orders')).kind).toBe('loading');
  });
});

describe('a failure', () => {
  it.each([
    ['network and offline', { isOffline: true }, '网络不可用'],
    ['network and online', { answer: () => Promise.reject(new Error('refused')) }, '连接不上服务'],
    ['timeout', { answer: () => Promise.reject(new Error('timeout')) }, '服务响应太慢'],
  ])('of the network offers another try: %s', async (_name, device, title) => {
    const { open, phone, services } = start({}, device);
    const home = open('home');
    await showing(home, 'offline');
    expect(statusOf(home)).toMatchObject({ title, action: 'retry' });
    Object.assign(phone, { isOffline: false, answer: services.answer });
    await home.fire('onAct', { action: 'retry' });
    await showing(home, 'ready');
  });

  it.each([
    ['user_banned', 403, 'login', '暂时无法登录'],
    ['login_blocked', 403, 'login', '暂时无法登录'],
    ['account_closing', 403, 'restore', '账号正在注销'],
    ['rate_limited', 429, 'retry', '出了点问题'],
    ['wechat_unavailable', 503, 'retry', '出了点问题'],
  ])(
    'of a login shows the text of the service and what can be done: %s',
    async (error, status, action, title) => {
      const known: Known = { refuse: { '/member/login': [status, error, 'the text of the service'] } };
      const { open, services } = start(known);
      const home = open('home');
      await showing(home, 'error');
      expect(statusOf(home)).toMatchObject({ title, action, text: 'the text of the service' });
      delete known.refuse;
      await home.fire('onAct', { action });
      await showing(home, 'ready');
      const last = services.asked.filter((asked) => asked.startsWith('POST /member/login')).pop();
      expect(last?.includes('"restore":true')).toBe(action === 'restore');
    },
  );

  it.each([
    ['unauthorized', 401],
    ['token_revoked', 403],
  ])('that a login did not help offers another login: %s', async (error, status) => {
    const known: Known = { refuse: { '/member/me': [status, error, 'no'] } };
    const { open, wx } = start(known);
    const home = open('home');
    await showing(home, 'error');
    const logins = wx.state.logins;
    delete known.refuse;
    await home.fire('onAct', { action: statusOf(home).action });
    await showing(home, 'ready');
    expect(wx.state.logins).toBe(logins + 1);
  });

  it('of an unknown kind names the request', async () => {
    const { open } = start({ refuse: { '/member/me': [500, 'internal', '服务器内部错误'] } });
    const home = open('home');
    await showing(home, 'error');
    expect(statusOf(home).note).toMatch(/^请求编号：[0-9a-f-]{36}$/);
  });
});

describe('profile', () => {
  async function openProfile(known: Known = {}, device: Partial<Device> = {}) {
    const started = start(known, device);
    const profile = started.open('profile');
    await showing(profile, 'ready');
    return { ...started, profile };
  }

  it('saves a nickname', async () => {
    const { profile, services, wx } = await openProfile();
    await profile.fire('onSave', { value: { nickname: '小红' } });
    expect(services.asked).toContain('PUT /member/me {"nickname":"小红"}');
    expect(profile.data).toMatchObject({ profile: { username: '小红' }, isBusy: false });
    expect(wx.toasts).toEqual(['已保存']);
  });

  it('says why a nickname is refused, and stays', async () => {
    const known: Known = {};
    const { profile, wx } = await openProfile(known);
    known.refuse = { '/member/me': [422, 'content_rejected', '内容含有违规信息'] };
    await profile.fire('onSave', { value: { nickname: '?' } });
    expect(wx.toasts).toEqual(['内容含有违规信息']);
    expect(profile.data).toMatchObject({ status: { kind: 'ready' }, isBusy: false });
  });

  it('keeps the picture on the device, for the other pages too', async () => {
    const { profile, open } = await openProfile();
    await profile.fire('onAvatar', { avatarUrl: 'http://tmp/1.png' });
    expect(profile.data.avatar).toBe('http://store/1.png');
    const home = open('home');
    await showing(home, 'ready');
    expect(home.data.avatar).toBe('http://store/1.png');
  });

  it('binds the phone number and unbinds it when asked', async () => {
    const { profile, services } = await openProfile({}, { decisions: [false, true] });
    await profile.fire('onPhone', { code: 'phone-code', errMsg: 'getPhoneNumber:ok' });
    expect(services.asked).toContain('POST /member/phone {"code":"phone-code"}');
    expect(profile.data).toMatchObject({ profile: { phone: '+86 138******00' } });
    await profile.fire('onUnbindPhone');
    expect(services.asked).not.toContain('DELETE /member/phone');
    await profile.fire('onUnbindPhone');
    expect(profile.data).toMatchObject({ profile: { phone: null } });
  });

  it('goes on after a refusal, and says why where it was none', async () => {
    const { profile, services, wx } = await openProfile();
    const asked = services.asked.length;
    await profile.fire('onPhone', { errMsg: 'getPhoneNumber:fail user deny' });
    expect(wx.toasts).toEqual([]);
    await profile.fire('onPhone', { errMsg: 'getPhoneNumber:fail no permission', errno: 102 });
    expect(wx.toasts).toEqual(['现在无法获取手机号，其他功能不受影响']);
    expect(services.asked).toHaveLength(asked);
    expect(statusOf(profile).kind).toBe('ready');
  });
});

describe('account', () => {
  async function openAccount(known: Known = {}, device: Partial<Device> = {}) {
    const started = start(known, device);
    const account = started.open('account');
    await showing(account, 'ready');
    return { ...started, account };
  }

  it('logs out here, and every page says so until the member logs in', async () => {
    const { account, open, services, wx } = await openAccount();
    await account.fire('onLogout');
    expect(services.asked).toContain('POST /member/logout {"all":false}');
    const home = open('home');
    await showing(home, 'logged-out');
    expect(wx.state.logins).toBe(1);
    await home.fire('onAct', { action: statusOf(home).action });
    await showing(home, 'ready');
    expect(wx.state.logins).toBe(2);
  });

  it('logs out everywhere, when the member is sure', async () => {
    const { account, services } = await openAccount({}, { decisions: [false, true] });
    await account.fire('onLogoutAll');
    expect(statusOf(account).kind).toBe('ready');
    await account.fire('onLogoutAll');
    expect(services.asked).toContain('POST /member/logout {"all":true}');
    expect(statusOf(account).kind).toBe('logged-out');
  });

  it.each([
    ['no', [false]],
    ['yes and no', [true, false]],
  ])('keeps the account of a member who says %s', async (_name, decisions) => {
    const { account, services, wx } = await openAccount({}, { decisions: [...decisions] });
    await account.fire('onDelete');
    expect(wx.dialogs).toHaveLength(decisions.length);
    expect(services.asked.some((asked) => asked.startsWith('DELETE'))).toBe(false);
    expect(statusOf(account).kind).toBe('ready');
  });

  it('deletes the account of a member who says yes twice, with the picture on the device', async () => {
    const { account, open, services, wx } = await openAccount({}, { decisions: [true, true] });
    const profile = open('profile');
    await showing(profile, 'ready');
    await profile.fire('onAvatar', { avatarUrl: 'http://tmp/1.png' });
    await account.fire('onDelete');
    expect(services.asked).toContain('DELETE /member/me');
    expect(statusOf(account)).toMatchObject({ kind: 'done', title: '账号已注销', action: 'login' });
    expect(wx.files.size).toBe(0);
    open('account');
    await showing(open('home'), 'logged-out');
    expect(statusOf(account).kind).toBe('done');
  });

  it('says when the account closes, and offers it back', async () => {
    const known: Known = { closesAt: '2026-06-01T00:00:00.000Z' };
    const { account, services } = await openAccount(known, { decisions: [true, true] });
    await account.fire('onDelete');
    expect(statusOf(account)).toMatchObject({ kind: 'done', action: 'restore' });
    expect(statusOf(account).text).toContain('2026-06-01');
    await account.fire('onAct', { action: 'restore' });
    await showing(account, 'ready');
    expect(services.asked.some((asked) => asked.includes('"restore":true'))).toBe(true);
  });

  it('stays when the deletion fails, and can be asked again', async () => {
    const known: Known = {};
    const { account, wx } = await openAccount(known, { decisions: [true, true] });
    known.refuse = { '/member/me': [503, 'unavailable', '服务暂不可用'] };
    await account.fire('onDelete');
    expect(wx.toasts).toEqual(['服务暂不可用']);
    expect(statusOf(account).kind).toBe('ready');
  });
});

describe('the privacy notice', () => {
  const path = 'components/privacy-notice/privacy-notice';

  it.each([
    ['onAgree', { event: 'agree', buttonId: 'agree-privacy' }],
    ['onDisagree', { event: 'disagree' }],
  ])('is shown when WeChat needs consent, and hands the decision on: %s', async (handler, answer) => {
    const { app, wx } = start();
    const notice = app.open(path);
    expect(notice.data.isShown).toBe(false);
    wx.needPrivacy();
    expect(notice.data.isShown).toBe(true);
    await notice.fire(handler);
    expect(notice.data.isShown).toBe(false);
    expect(wx.state.privacyAnswer).toEqual(answer);
  });

  it('is not needed in an older WeChat', () => {
    const { app } = start({}, { asksForPrivacy: false });
    expect(app.open(path).data.isShown).toBe(false);
  });
});
