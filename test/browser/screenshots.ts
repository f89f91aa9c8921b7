/** `npm run screenshots`: takes the pictures of the local run's page that the documentation shows. */
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { startRun } from '../fixtures/started-run.ts';
import { CHROMIUM_OPTIONS, requireChromium } from './chromium.ts';

const executablePath = requireChromium();
const run = await startRun({ PORT: '3000' });
const browser = await chromium.launch({ executablePath, ...CHROMIUM_OPTIONS });
try {
  for (const [name, locale, colorScheme] of [
    ['page-en', 'en', 'light'],
    ['page-zh-dark', 'zh-CN', 'dark'],
  ] as const) {
    const context = await browser.newContext({ locale, colorScheme, viewport: { width: 1200, height: 900 } });
    const page = await context.newPage();
    await page.goto(`${run.url}/`);
    await page.click('#do-logIn');
    await page.locator('#token').waitFor();
    await page.selectOption('#fault-name', 'rate_limited');
    await page.fill('#fault-times', '3');
    await page.click('#break');
    await page.locator('#wechat.bad').waitFor();
    await page.click('#do-me');
    await page.locator('#rows li').nth(4).waitFor();
    await page.screenshot({ path: fileURLToPath(new URL(`../../docs/${name}.png`, import.meta.url)) });
    await page.click('#heal');
    await context.close();
  }
} finally {
  await browser.close();
  await run.end();
}
