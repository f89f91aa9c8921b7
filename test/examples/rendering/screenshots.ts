/**
 * `npm run screenshots`: renders the example's pages in Chromium, checks that each shows what it should, and writes
 * the pictures of its README.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { requireChromium } from '../../browser/chromium.ts';
import { readPreparedExample } from '../host/app.ts';
import type { Scene } from './browser.ts';
import { bundleRuntime, HEIGHT, htmlOf, WIDTH } from './html.ts';

const target = fileURLToPath(new URL('../../../examples/mini-program/screenshots', import.meta.url));

/** Bytes of one picture: they are kept in the repository. */
const LIMIT = 60_000;

const page = (name: string) => `pages/${name}/${name}`;

/** Each picture, and the kind of status that its page must show. */
const scenes: Record<string, Scene & { readonly kind: string }> = {
  'home.zh': { page: page('home'), language: 'zh_CN', known: { username: '小明' }, kind: 'ready' },
  'home.en': { page: page('home'), language: 'en', known: { username: 'Ming' }, kind: 'ready' },
  'orders.zh': {
    page: page('orders'),
    language: 'zh_CN',
    known: { orders: ['冻顶乌龙茶', '茉莉花茶', '正山小种'] },
    kind: 'ready',
  },
  'orders-loading.zh': { page: page('orders'), language: 'zh_CN', known: { isSlow: true }, kind: 'loading' },
  'orders-empty.zh': { page: page('orders'), language: 'zh_CN', known: {}, kind: 'empty' },
  'orders-offline.zh': {
    page: page('orders'),
    language: 'zh_CN',
    known: {},
    isOffline: true,
    kind: 'offline',
  },
  'home-error.en': {
    page: page('home'),
    language: 'en',
    known: { refuse: { '/member/login': [503, 'wechat_unavailable', 'The call to WeChat failed'] } },
    kind: 'error',
  },
  'profile.zh': {
    page: page('profile'),
    language: 'zh_CN',
    known: { username: '小明', phone: '+86 138******00' },
    kind: 'ready',
  },
  'privacy.zh': { page: page('profile'), language: 'zh_CN', known: {}, after: 'privacy', kind: 'ready' },
  'account.zh': { page: page('account'), language: 'zh_CN', known: {}, kind: 'ready' },
  'logged-out.en': { page: page('account'), language: 'en', known: {}, after: 'logout', kind: 'logged-out' },
};

const files = await readPreparedExample();
const runtime = await bundleRuntime();
const chromium = requireChromium();
const work = mkdtempSync(join(tmpdir(), 'screenshots-'));
rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
try {
  for (const [name, { kind, ...scene }] of Object.entries(scenes)) {
    const html = join(work, `${name}.html`);
    writeFileSync(html, htmlOf(files, scene, runtime));
    const shown = /<title>(.*?)<\/title>/.exec(chrome('--dump-dom', html))?.[1];
    if (shown !== `kind: ${kind}`) throw new Error(`${name} shows ${shown}, not ${kind}`);
    const picture = join(target, `${name}.png`);
    chrome(`--screenshot=${picture}`, html);
    const { size: bytes } = statSync(picture);
    if (bytes > LIMIT) throw new Error(`${name}.png has ${bytes} bytes, more than ${LIMIT}`);
    console.log(`${String(bytes).padStart(6)} bytes  ${name}.png`);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}

function chrome(what: string, html: string): string {
  return execFileSync(
    chromium,
    [
      '--headless',
      // The pages are our own, and containers have no user namespaces.
      '--no-sandbox',
      '--disable-gpu',
      '--hide-scrollbars',
      '--virtual-time-budget=3000',
      `--window-size=${WIDTH},${HEIGHT}`,
      `--user-data-dir=${work}/profile`,
      what,
      html,
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
}
