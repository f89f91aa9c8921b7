/** Serves the page at `/` and its controls below `/_local/`, beside the API and never in place of it. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RespondBefore } from 'local-aws';
import { readJson } from '../wechat/control-request.ts';
import { sendJson } from '../wechat/send.ts';
import { bundlePage, type PageFile } from './bundle-page.ts';
import { ControlError, type Controls } from './controls.ts';
import { isFromHere, objectionTo } from './guard.ts';
import type { Journal } from './journal.ts';

/** Where everything of the console but the page itself is. */
const CONTROLS_PATH = '/_local/';

const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

/**
 * Creates what a gateway calls first.
 *
 * @param controls of the service, which is there later than its gateway
 */
export function serveConsole(controls: Promise<Controls>, journal: Journal): RespondBefore {
  return (message, response) => {
    const path = (message.url ?? '').split('?')[0] ?? '';
    const isPage =
      path === '/' && message.method === 'GET' && (message.headers.accept ?? '').includes('text/html');
    if (isPage && isFromHere(message)) void sendPage(response, 'index.html');
    else if (path.startsWith(CONTROLS_PATH)) {
      const objection = objectionTo(message);
      if (objection === undefined)
        void respond(path.slice(CONTROLS_PATH.length), message, response, controls, journal);
      else sendJson(response, 403, { error: objection });
    } else return false;
    return true;
  };
}

async function respond(
  name: string,
  message: IncomingMessage,
  response: ServerResponse,
  controls: Promise<Controls>,
  journal: Journal,
): Promise<void> {
  try {
    if (message.method === 'GET' && (name === 'page.js' || name === 'page.css'))
      return await sendPage(response, name);
    if (message.method === 'GET' && name === 'events') return sendEvents(message, response, journal);
    const known = await controls;
    const control = Object.hasOwn(known, name) ? known[name] : undefined;
    if (control === undefined || (message.method === 'GET') !== (name === 'state'))
      return sendJson(response, 404, { error: 'There is no such control.' });
    const body = message.method === 'GET' ? {} : await readJson(message);
    response.setHeader('cache-control', 'no-store');
    sendJson(response, 200, await control(body));
  } catch (error) {
    const status = error instanceof ControlError || error instanceof SyntaxError ? 400 : 500;
    sendJson(response, status, { error: error instanceof Error ? error.message : String(error) });
  }
}

/** Server-sent events: one for each request that the gateway has responded to, from where the page's connection broke. */
function sendEvents(message: IncomingMessage, response: ServerResponse, journal: Journal): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const send = (entry: { readonly seq: number }): void => {
    response.write(`id: ${entry.seq}\ndata: ${JSON.stringify(entry)}\n\n`);
  };
  response.write('retry: 1000\n\n');
  for (const entry of journal.after(Number(message.headers['last-event-id'] ?? 0) || 0)) send(entry);
  void once(response, 'close').then(journal.subscribe(send));
}

async function sendPage(response: ServerResponse, file: PageFile): Promise<void> {
  const { type, text } = (await bundlePage())[file];
  response.writeHead(200, { ...PAGE_HEADERS, 'content-type': `${type}; charset=utf-8` }).end(text);
}
