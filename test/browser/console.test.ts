import axe from 'axe-core';
import {
  type Browser,
  type BrowserContextOptions,
  chromium,
  type Page,
  type Response,
} from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { RunState } from '../../local/console/run-state.ts';
import { presetNames } from '../../local/wechat/presets.ts';
import { type StartedRun, startRun } from '../fixtures/started-run.ts';
import { requireChromium } from './chromium.ts';

let browser: Browser;
let run: StartedRun;
beforeAll(async () => {
  [run, browser] = await Promise.all([
    startRun(),
    chromium.launch({
      executablePath: requireChromium(),
      // Chromium refuses its sandbox to root, as whom containers often run.
      chromiumSandbox: process.getuid?.() !== 0,
      // As if the network was off: there is nothing but this machine.
      args: ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1', '--proxy-server=direct://'],
    }),
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

/** The page, and the last response to what it sent to the API. */
interface Opened {
  readonly page: Page;
  readonly lastResponse: () => Response | undefined;
}

/** Opens the page of the run; nothing but the run may ever be asked for anything. */
async function open(options: BrowserContextOptions = {}, before = (_: Page) => {}): Promise<Opened> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE.timeout);
  page.on('request', (request) => expect(new URL(request.url()).origin).toBe(run.url));
  page.on('pageerror', (error) => {
    throw error;
  });
  let last: Response | undefined;
  page.on('response', (response) => {
    if (/^\/(member|whoami)\b/.test(new URL(response.url()).pathname)) last = response;
  });
  before(page);
  await page.goto(`${run.url}/`);
  await page.locator('#do-logIn').waitFor();
  return { page, lastResponse: () => last };
}

async function openForTest(...given: Parameters<typeof open>): Promise<Opened> {
  const opened = await open(...given);
  onTestFinished(() => opened.page.context().close());
  return opened;
}

/** What axe objects to, in words; the page's own policy keeps scripts of others out, so it comes by the debugger. */
async function objections(page: Page, rules?: readonly string[]): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(
    async (runOnly) => {
      const { violations } = await (
        globalThis as unknown as {
          axe: {
            run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
          };
        }
      ).axe.run(runOnly === undefined ? {} : { runOnly });
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    },
    rules && [...rules],
  );
}

interface Shown {
  readonly status: string;
  readonly body: Body;
}

/** Presses a button of the login and reads what the page shows of the last request of the client. */
async function press({ page, lastResponse }: Opened, id: string): Promise<Shown> {
  await page.click(id);
  await page.locator('.flow[aria-busy=false]').waitFor();
  const response = lastResponse();
  if (response === undefined) throw new Error('The API was not called');
  const { request_id } = (await response.json()) as Body;
  await page.locator('#response', { hasText: request_id }).waitFor();
  const [json = ''] = (await page.locator('#response').innerText()).split(/\n\n(?=[a-z-]+: )/);
  const shown = { status: await page.locator('h3 b').innerText(), body: JSON.parse(json) };
  expect(shown.status).toBe(String(response.status()));
  return shown;
}

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

  it('is used with the keyboard alone, 360 pixels wide', async () => {
    const { page } = await openForTest({ viewport: { width: 360, height: 640 } });
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
    const opened = await openForTest({}, (page) => {
      void page.route('**/_local/state', (route) =>
        route.fulfill({
          json: {
            ...state,
            addresses: { ...state.addresses, appids: [appid, 'wxnotserved'] },
            foreignRoutes: [foreign],
          },
        }),
      );
      void page.route('**/_local/foreign', (route) => {
        asked.push(route.request().postDataJSON());
        return route.fulfill({ json: { status: 418, headers: { 'x-team': 'orders' }, body: '{"tea":1}' } });
      });
    });
    const { page } = opened;

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
    const { page } = await openForTest({ locale: 'en' }, (page) => {
      void page.route('**/_local/events', (route) => route.abort());
    });

    await page.locator('#connection.bad', { hasText: 'does not respond' }).waitFor();
  });
});

describe.each([
  ['zh-CN', 'light', 'dark', /登录/, 1],
  // The last test here: functions sign with the key that this drops for up to half a minute.
  ['en-US', 'dark', 'light', /Log in/, 2],
] as const)('the page in %s, %s', (locale, colorScheme, otherScheme, logIn, leaked) => {
  it('goes from a login to a logout, past a fault, a ban, a rotation and a dropped key', async () => {
    const opened = await openForTest({
      locale,
      colorScheme,
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const { page } = opened;
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
    await page.emulateMedia({ colorScheme: otherScheme });
    expect(await objections(page, ['color-contrast'])).toEqual([]);
    await page.click(`#${kids[leaked]}`);
    await page.locator(`#${kids[leaked]}`).waitFor({ state: 'detached' });
    expect(await keys.first().getAttribute('id')).toBe(kids[0]);

    const who = await page.locator('#who').innerText();
    expect(await press(opened, '#do-logOut')).toMatchObject({ status: '200' });
    await expect.poll(() => page.locator('#who').innerText(), PATIENCE).not.toBe(who);
  });
});
