import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { presetNames } from '../../local/wechat/presets.ts';
import { type StartedRun, startRun } from '../fixtures/started-run.ts';
import { findChromium } from './chromium.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: findChromium() ?? '',
    // Chromium refuses its sandbox to root, as whom containers often run.
    chromiumSandbox: process.getuid?.() !== 0,
  });
});
afterAll(() => browser.close());

/** Only ends what hangs. */
const PATIENCE = { timeout: 120_000 };

/** Opens the page of a run; nothing but the run may ever be asked for anything. */
async function open({ url }: StartedRun, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext(options);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE.timeout);
  const origins = new Set<string>();
  page.on('request', (request) => origins.add(new URL(request.url()).origin));
  onTestFinished(() => expect([...origins]).toEqual([url]));
  page.on('pageerror', (error) => {
    throw error;
  });
  await page.goto(`${url}/`);
  await page.locator('#do-logIn').waitFor();
  return page;
}

/** What axe objects to, in words; the page's own policy keeps scripts of others out, so it comes by the debugger. */
async function objections(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { violations } = await (
      globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      }
    ).axe.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
}

async function expectNoObjection(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await objections(page), colorScheme).toEqual([]);
  }
}

interface Shown {
  readonly status: string;
  readonly body: {
    readonly error?: string;
    readonly request_id: string;
    readonly data?: { readonly user_id: string };
  };
}

/** Presses a button of the login and reads the answer to the last request that it sent. */
async function press(page: Page, id: string, path: string): Promise<Shown> {
  const [response] = await Promise.all([
    page.waitForResponse((each) => new URL(each.url()).pathname === path),
    page.click(id),
  ]);
  const { request_id } = (await response.json()) as Shown['body'];
  await page.locator('#answer', { hasText: request_id }).waitFor();
  return shown(page);
}

async function shown(page: Page): Promise<Shown> {
  const [json = ''] = (await page.locator('#answer').innerText()).split(/\n\n(?=[a-z-]+: )/);
  return { status: await page.locator('h3 b').innerText(), body: JSON.parse(json) };
}

describe.each([
  ['zh-CN', 'light'],
  ['en-US', 'dark'],
] as const)('the page in %s, %s', (locale, colorScheme) => {
  let run: StartedRun;
  beforeAll(async () => {
    run = await startRun();
  });
  afterAll(() => run.end());

  it('goes from a login to a logout, past a fault, a ban, a rotation and a dropped key', async () => {
    const page = await open(run, { locale, colorScheme });
    await expectNoObjection(page);

    const login = await press(page, '#do-logIn', '/member/login');
    expect(login).toMatchObject({ status: '200', body: { data: { user_id: expect.any(String) } } });
    await page.locator('#token .good').first().waitFor();
    const profile = await press(page, '#do-me', '/member/me');
    expect(profile.body.data).toMatchObject({ user_id: login.body.data?.user_id });

    await page.selectOption('#fault-name', 'blocked');
    await page.fill('#fault-times', '1');
    await page.click('#break');
    await page.locator('#wechat.bad').waitFor();
    expect(await press(page, '#do-logIn', '/member/login')).toMatchObject({
      status: '403',
      body: { error: 'login_blocked' },
    });
    await page.locator('#wechat.good').waitFor();

    const user = login.body.data?.user_id;
    await page.click(`#ban-${user}`);
    await page.locator(`#unban-${user}`).waitFor();
    expect(await press(page, '#token-expired', '/member/me')).toMatchObject({ status: '401' });
    expect(await press(page, '#do-logIn', '/member/login')).toMatchObject({
      status: '403',
      body: { error: 'user_banned' },
    });
    await page.click(`#unban-${user}`);
    await page.locator(`#ban-${user}`).waitFor();
    expect(await press(page, '#do-logIn', '/member/login')).toMatchObject({ status: '200' });

    const keys = page.locator('[id^=drop-]');
    await page.click('#rotate');
    await expect.poll(() => keys.count(), PATIENCE).toBe(3);
    const [current, , retired] = await keys.evaluateAll((all) => all.map(({ id }) => id));
    await page.click(`#${retired}`);
    await expect.poll(() => keys.count(), PATIENCE).toBe(2);
    expect(await keys.first().getAttribute('id')).toBe(current);

    await expectNoObjection(page);
    const who = await page.locator('#who').innerText();
    await page.click('#do-logOut');
    await expect.poll(() => page.locator('#who').innerText(), PATIENCE).not.toBe(who);
  });
});

describe('the page', () => {
  let run: StartedRun;
  beforeAll(async () => {
    run = await startRun();
  });
  afterAll(() => run.end());

  it.each(presetNames)(
    'shows %s as the gateway answered it, and its line by the same request id',
    async (name) => {
      const page = await open(run, { locale: 'en' });
      await page.click('#heal');
      await page.locator('#wechat.good').waitFor();
      // A code that was exchanged a moment ago logs in again, whatever WeChat says of it.
      await page.click('#do-newCode');
      await expect.poll(() => page.inputValue('#code'), PATIENCE).not.toBe('demo-xiaoming');
      await page.selectOption('#fault-name', name);
      await page.click('#break');
      await page.locator('#wechat.bad').waitFor();

      await page.click('#do-logIn');
      await page.locator('#said:not(:empty), #token').first().waitFor();
      await page.locator('#answer').waitFor();

      const { status, body } = await shown(page);
      const line = page.locator(`[data-request="${body.request_id}"] summary`);
      await line.waitFor();
      expect(await line.locator('b').innerText()).toBe([status, body.error].filter(Boolean).join(' '));
      if (name === 'first_host_down') expect(await line.innerText()).toContain('WeChat host 1');
      else expect(Number(status)).toBeGreaterThanOrEqual(400);
      await page.click('#heal');
      await page.locator('#wechat.good').waitFor();
    },
  );

  it('is used with the keyboard alone, 360 pixels wide', async () => {
    const page = await open(run, { viewport: { width: 360, height: 640 } });
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

  it.each([
    ['expired', 401],
    ['foreign_audience', 401],
    ['wrongly_signed', 401],
    ['revoked', 403],
  ])('shows how a token that is %s is refused', async (kind, status) => {
    const page = await open(run);

    expect(await press(page, `#token-${kind}`, '/member/me')).toMatchObject({ status: String(status) });
  });

  it('keeps the login over a reload', async () => {
    const page = await open(run, { locale: 'en' });
    await press(page, '#do-logIn', '/member/login');
    const who = await page.locator('#who').innerText();

    await page.reload();

    await expect.poll(() => page.locator('#who').innerText(), PATIENCE).toBe(who);
  });
});
