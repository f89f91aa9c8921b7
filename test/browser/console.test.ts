import axe from 'axe-core';
import {
  type Browser,
  type BrowserContextOptions,
  chromium,
  type Page,
  type Response,
  type Route,
} from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { RunState } from '../../local/console/run-state.ts';
import { presetNames } from '../../local/wechat/presets.ts';
import { type StartedRun, startRun } from '../fixtures/started-run.ts';
import { CHROMIUM_OPTIONS, requireChromium } from './chromium.ts';

let browser: Browser;
let run: StartedRun;
beforeAll(async () => {
  [run, browser] = await Promise.all([
    startRun(),
    chromium.launch({ executablePath: requireChromium(), ...CHROMIUM_OPTIONS }),
  ]);
});
afterAll(async () => {
  await browser.close();
  await run.end();
});

/** Only ends what hangs. */
const PATIENCE = { timeout: 120_000 };

interface Body {
  readonly error?: string;
  readonly request_id: string;
  readonly data?: { readonly user_id: string };
}

/** The page, and the responses since a press to what it sent to the API. */
interface Opened {
  readonly page: Page;
  readonly responses: Response[];
}

/** Opens the page of the run; nothing but the run may ever be asked for anything. */
async function open(options: BrowserContextOptions): Promise<Opened> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE.timeout);
  page.on('request', (request) => expect(new URL(request.url()).origin).toBe(run.url));
  page.on('pageerror', (error) => {
    throw error;
  });
  const responses: Response[] = [];
  page.on('response', (response) => {
    if (/^\/(member|whoami)\b/.test(new URL(response.url()).pathname)) responses.push(response);
  });
  await page.goto(`${run.url}/`);
  await page.locator('#do-logIn').waitFor();
  return { page, responses };
}

/** What axe objects to, in words; the page's own policy keeps scripts of others out, so it comes by the debugger. */
async function objections(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { violations } = await (
      globalThis as unknown as {
        axe: {
          run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
        };
      }
    ).axe.run({ resultTypes: ['violations'] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
}

interface Shown {
  readonly status: string;
  readonly body: Body;
}

/** Presses a button of the login and reads what the page shows of the last request of the client. */
async function press(opened: Opened, id: string): Promise<Shown> {
  opened.responses.length = 0;
  await opened.page.click(id);
  return readShown(opened);
}

async function readShown({ page, responses }: Opened): Promise<Shown> {
  await page.locator('.flow[aria-busy=false]').waitFor();
  const response = responses.at(-1);
  if (response === undefined) throw new Error('The API was not called');
  const { request_id } = (await response.json()) as Body;
  await page.locator('#response', { hasText: request_id }).waitFor();
  const [json = ''] = (await page.locator('#response').innerText()).split(/\n\n(?=[a-z-]+: )/);
  const shown = { status: await page.locator('h3 b').innerText(), body: JSON.parse(json) };
  expect(shown.status).toBe(String(response.status()));
  return shown;
}

/** Serves what a page asks for in another way until the test is over. */
async function replace(page: Page, url: string, serve: (route: Route) => unknown): Promise<void> {
  await page.route(url, serve);
  onTestFinished(() => page.unroute(url));
}

/** Begins anew on the page of the tests before. */
async function reopen(page: Page): Promise<void> {
  await page.reload();
  await page.locator('#do-logIn').waitFor();
}

/** Ends every fault of WeChat, and again when the test is over. */
async function healed(page: Page): Promise<void> {
  await page.click('#heal');
  await page.locator('#wechat.good').waitFor();
  onTestFinished(async () => {
    await page.click('#heal');
    await page.locator('#wechat.good').waitFor();
  });
}

/** Breaks WeChat from elsewhere, and has the page notice it. */
async function breakElsewhere(): Promise<void> {
  await fetch(`${run.url}/_local/fault`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'busy' }),
  });
  await fetch(`${run.url}/whoami`);
}

/** Waits until a page has had time for whatever it was told before. */
const settle = (page: Page): Promise<unknown> =>
  page.evaluate("fetch('/_local/state').then((response) => response.json())");

/** The line of a request in the log. */
const lineOf = (page: Page, { request_id }: Body) => page.locator(`[data-request="${request_id}"] summary`);

describe('the page', () => {
  let opened: Opened;
  let page: Page;
  beforeAll(async () => {
    opened = await open({ locale: 'en' });
    ({ page } = opened);
  });
  afterAll(() => page.context().close());

  it.each(presetNames)(
    'shows %s as the gateway sent it, and its line by the same request id',
    async (name) => {
      // A code that was exchanged a moment ago logs in again, whatever WeChat says of it.
      const before = await page.inputValue('#code');
      await page.click('#do-newCode');
      await expect.poll(() => page.inputValue('#code'), PATIENCE).not.toBe(before);
      await page.selectOption('#fault-name', name);
      await page.click('#break');
      await page.locator('#wechat.bad').waitFor();

      const { status, body } = await press(opened, '#do-logIn');

      const line = lineOf(page, body);
      await line.waitFor();
      expect(await line.locator('b').innerText()).toBe([status, body.error].filter(Boolean).join(' '));
      if (name === 'first_host_down') {
        const { addresses } = (await (await fetch(`${run.url}/_local/state`)).json()) as RunState;
        const [, host] = /WeChat (127\.0\.0\.1:\d+) ok/.exec(await line.innerText()) ?? [];
        expect([status, host]).toEqual(['200', expect.any(String)]);
        expect(addresses.simulator).not.toContain(host);
      } else expect(Number(status)).toBeGreaterThanOrEqual(400);
      await page.click('#heal');
      await page.locator('#wechat.good').waitFor();
    },
  );

  it.each([
    ['expired', '401'],
    ['foreign_audience', '401'],
    ['wrongly_signed', '401'],
    ['revoked', '403'],
  ])('shows how a token that is %s is refused', async (kind, status) => {
    expect(await press(opened, `#token-${kind}`)).toMatchObject({ status });
  });

  it('deletes the account when its button is pressed twice, with nothing else in between', async () => {
    await page.fill('#code', 'demo-leaves');
    const { body } = await press(opened, '#do-logIn');
    const row = page.locator(`#ban-${body.data?.user_id}`);
    await row.waitFor();

    await page.click('#do-erase');
    await press(opened, '#do-me');
    await page.click('#do-erase');
    expect(await row.count()).toBe(1);
    expect(await press(opened, '#do-erase')).toMatchObject({
      status: '200',
      body: { data: { erased: true } },
    });

    await row.waitFor({ state: 'detached' });
  });

  it('keeps the login over a reload, and changes its language with a button', async () => {
    await page.fill('#code', 'demo-stays');
    await press(opened, '#do-logIn');
    const who = await page.locator('#who').innerText();

    await page.reload();

    await expect.poll(() => page.locator('#who').innerText(), PATIENCE).toBe(who);
    await page.click('#language');
    await expect.poll(() => page.getAttribute('html', 'lang'), PATIENCE).toBe('zh-CN');
    expect(await page.locator('#who').innerText()).toContain('已登录');
  });

  it('shows the end of a login that was under way when the language was changed', async () => {
    const held = Promise.withResolvers<void>();
    await replace(page, '**/member/login', async (route) => {
      await held.promise;
      await route.continue();
    });
    await page.fill('#code', 'demo-translated');
    await page.click('#do-logIn');
    const lang = await page.getAttribute('html', 'lang');
    await page.click('#language');
    expect(await page.getAttribute('html', 'lang')).not.toBe(lang);
    expect(await page.inputValue('#code')).toBe('demo-translated');
    await page.click('#do-newCode');
    await expect.poll(() => page.inputValue('#code'), PATIENCE).not.toBe('demo-translated');
    await settle(page);
    expect(await page.getAttribute('.flow', 'aria-busy')).toBe('true');

    held.resolve();

    const { body } = await readShown(opened);
    expect(await page.locator('#who').innerText()).toContain(body.data?.user_id);
  });

  it('shows the newest state, though an older one comes after it', async () => {
    await healed(page);
    const [read, shown] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let asked = 0;
    await replace(page, '**/_local/state', async (route) => {
      asked += 1;
      if (asked > 1) return route.continue();
      const response = await route.fetch();
      read.resolve();
      await shown.promise;
      return route.fulfill({ response });
    });

    await page.click('#heal');
    await read.promise;
    await page.click('#break');
    await page.locator('#wechat.bad').waitFor();
    const late = page.waitForEvent('requestfinished', (request) => request.url().endsWith('/_local/state'));
    shown.resolve();
    await late;
    await settle(page);

    expect(await page.getAttribute('#wechat', 'class')).toBe('bad');
  });

  it.each([
    ['mouse', (page: Page) => page.mouse.down(), (page: Page) => page.mouse.up()],
    ['keyboard', (page: Page) => page.keyboard.down('Space'), (page: Page) => page.keyboard.up('Space')],
  ])('does what a button says that the %s holds down while a new state comes', async (by, hold, release) => {
    await healed(page);
    await page.fill('#code', `demo-${by}`);
    const { body } = await press(opened, '#do-logIn');
    const ban = page.locator(`#ban-${body.data?.user_id}`);
    await ban.hover();
    await ban.focus();

    await hold(page);
    const read = page.waitForResponse(
      async (response) =>
        response.url().endsWith('/_local/state') &&
        ((await response.json()) as RunState).faults.some(({ name }) => name === 'busy'),
    );
    await breakElsewhere();
    await read;
    await settle(page);
    expect(await page.getAttribute('#wechat', 'class')).toBe('good');
    await release(page);

    await page.locator(`#unban-${body.data?.user_id}`).waitFor();
    await page.locator('#wechat.bad').waitFor();
  });

  it('leaves what somebody types, chooses or has scrolled to as it is while a new state comes', async () => {
    const state = (await (await fetch(`${run.url}/_local/state`)).json()) as RunState;
    let users = Array.from({ length: 20 }, (_, index) => ({
      ...state.users[0],
      user_id: `u${index}`,
      status: 'active',
    }));
    await replace(page, '**/_local/state', (route) => route.fulfill({ json: { ...state, users } }));
    await fetch(`${run.url}/whoami`);
    await page.locator('#ban-u19').waitFor();
    const table = page.locator('.panels .scroll').first();
    await table.evaluate((box) => box.scrollTo(0, 300));
    await page.selectOption('#fault-whom', 'u19');
    await page.fill('#fault-times', '13');
    await page.press('#fault-times', 'ArrowLeft');

    users = users.slice(0, 15);
    await fetch(`${run.url}/whoami`);
    await page.locator('#ban-u19').waitFor({ state: 'detached' });
    await page.keyboard.type('2');

    expect(await page.inputValue('#fault-times')).toBe('123');
    expect(await page.inputValue('#fault-whom')).toBe('u19');
    expect(await table.evaluate((box) => box.scrollTop)).toBe(300);

    await page.click('#fault-whom');
    users = users.slice(0, 12);
    await fetch(`${run.url}/whoami`);
    await page.locator('#ban-u14').waitFor({ state: 'detached' });

    expect(await page.locator('#fault-whom:open option').count()).toBe(2 + 15 + 1);
    await page.keyboard.press('Escape');
    await page.focus('#fault-times');
    expect(await page.locator('#fault-whom option').count()).toBe(2 + 12 + 1);
  });

  it('is used with the keyboard alone, 360 pixels wide', async () => {
    await reopen(page);
    const size = page.viewportSize() ?? { width: 0, height: 0 };
    await page.setViewportSize({ width: 360, height: 640 });
    onTestFinished(() => page.setViewportSize(size));
    const focused = () => page.evaluate<string>('document.activeElement.id');
    for (let presses = 0; presses < 20 && (await focused()) !== 'do-logIn'; presses++)
      await page.keyboard.press('Tab');
    expect(await focused()).toBe('do-logIn');
    expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');

    await page.keyboard.press('Enter');

    await page.locator('#token').waitFor();
    expect(await focused()).toBe('do-logIn');
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
  });

  it("logs in to the mini-program that is chosen of several, and calls another team's routes", async () => {
    const state = (await (await fetch(`${run.url}/_local/state`)).json()) as RunState;
    const [appid] = state.addresses.appids;
    const foreign = { method: 'PUT', url: 'http://127.0.0.1:1/orders' };
    const asked: unknown[] = [];
    await replace(page, '**/_local/state', (route) =>
      route.fulfill({
        json: {
          ...state,
          addresses: { ...state.addresses, appids: [appid, 'wxnotserved'] },
          foreignRoutes: [foreign],
        },
      }),
    );
    await replace(page, '**/_local/foreign', (route) => {
      asked.push(route.request().postDataJSON());
      return route.fulfill({ json: { status: 418, headers: { 'x-team': 'orders' }, body: '{"tea":1}' } });
    });
    await reopen(page);

    await page.selectOption('#appid', 'wxnotserved');
    expect(await press(opened, '#do-logIn')).toMatchObject({ status: '400' });
    await page.selectOption('#appid', appid ?? '');
    expect(await press(opened, '#do-logIn')).toMatchObject({ status: '200' });
    await page.getByRole('button', { name: `${foreign.method} ${foreign.url}` }).click();

    await page.locator('#response', { hasText: 'x-team: orders' }).waitFor();
    expect(await page.locator('h3 b').innerText()).toBe('418');
    expect(asked).toEqual([{ ...foreign, token: expect.stringMatching(/^ey/) }]);
  });

  it('says when the run responds no more', async () => {
    await replace(page, '**/_local/events', (route) => route.abort());
    await page.reload();

    await page.locator('#connection.bad', { hasText: 'does not respond' }).waitFor();
  });
});

describe.each([
  ['zh-CN', 'light', /登录/, 1],
  // The last test here: functions sign with the key that this drops for up to half a minute.
  ['en-US', 'dark', /Log in/, 2],
] as const)('the page in %s, %s', (locale, colorScheme, logIn, leaked) => {
  it('goes from a login to a logout, past a fault, a ban, a rotation and a dropped key', async () => {
    const opened = await open({
      locale,
      colorScheme,
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const { page } = opened;
    onTestFinished(() => page.context().close());
    expect(await page.locator('#do-logIn').innerText()).toMatch(logIn);
    await page.fill('#code', `demo-${locale}`);
    await page.fill('#nickname', locale);

    const login = await press(opened, '#do-logIn');
    expect(login).toMatchObject({ status: '200', body: { data: { user_id: expect.any(String) } } });
    await page.locator('#token .good').first().waitFor();
    const profile = await press(opened, '#do-me');
    expect(profile.body.data).toMatchObject({ user_id: login.body.data?.user_id, username: locale });
    await page.click('#copy');
    await page.locator('#copy + .good:not(:empty)').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(
      await page.locator('#curl').textContent(),
    );

    await page.selectOption('#fault-name', 'blocked');
    await page.fill('#fault-times', '1');
    await page.click('#break');
    await page.locator('#wechat.bad').waitFor();
    expect(await press(opened, '#do-logIn')).toMatchObject({
      status: '403',
      body: { error: 'login_blocked' },
    });
    await page.locator('#wechat.good').waitFor();

    const user = login.body.data?.user_id;
    await page.click(`#ban-${user}`);
    await page.locator(`#unban-${user}`).waitFor();
    expect(await press(opened, '#do-logIn')).toMatchObject({ status: '403', body: { error: 'user_banned' } });
    await page.click(`#unban-${user}`);
    await page.locator(`#ban-${user}`).waitFor();
    expect(await press(opened, '#do-logIn')).toMatchObject({ status: '200' });

    const keys = page.locator('[id^=drop-]');
    const before = await keys.count();
    await page.click('#rotate');
    await expect.poll(() => keys.count(), PATIENCE).toBe(before + 1);
    const kids = await keys.evaluateAll((all) => all.map(({ id }) => id));
    expect(await objections(page)).toEqual([]);
    await page.click(`#${kids[leaked]}`);
    await page.locator(`#${kids[leaked]}`).waitFor({ state: 'detached' });
    expect(await keys.first().getAttribute('id')).toBe(kids[0]);

    const who = await page.locator('#who').innerText();
    expect(await press(opened, '#do-logOut')).toMatchObject({ status: '200' });
    await expect.poll(() => page.locator('#who').innerText(), PATIENCE).not.toBe(who);
  });
});
