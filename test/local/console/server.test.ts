import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bundlePage } from '../../../local/console/bundle-page.ts';
import { ControlError } from '../../../local/console/controls.ts';
import { createJournal } from '../../../local/console/journal.ts';
import { serveConsole } from '../../../local/console/server.ts';

const used: unknown[] = [];
const controls = {
  state: async () => ({ users: [] }),
  user: async (body: object) => {
    used.push(body);
    return {};
  },
  refused: async () => {
    throw new ControlError('There is no such user.');
  },
};
const journal = createJournal();
const answerBefore = serveConsole(Promise.resolve(controls), journal);
const server = createServer((message, response) => {
  if (!answerBefore(message, response)) response.writeHead(404).end('the API');
});
let port: number;

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  used.length = 0;
});

/** Not `fetch`, which sets some of these headers itself. */
async function send(method: string, path: string, headers: Record<string, string> = {}, body = '') {
  const sent = request({ port, host: '127.0.0.1', method, path, headers, agent: false });
  sent.end(body);
  const [response] = await once(sent, 'response');
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

const json = { 'content-type': 'application/json' };
const ban = '{"change":"ban","user_id":"u"}';

describe('the page', () => {
  it('is at / for a browser, under a policy that lets nothing in from elsewhere', async () => {
    const page = await send('GET', '/', { accept: 'text/html,*/*' });

    expect(page).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self';/);
    expect(page.headers['content-security-policy']).not.toMatch(/unsafe|https?:|\*/);
  });

  it.each([
    ['somebody who wants no HTML', 'GET', '/', { accept: 'application/json' }],
    ['a name that somebody pointed to this machine', 'GET', '/', { accept: 'text/html', host: 'evil.test' }],
    ['a POST', 'POST', '/', { accept: 'text/html' }],
    ['any other path', 'GET', '/member/me', { accept: 'text/html' }],
    ['a path that only begins like the controls', 'GET', '/_locale', { accept: 'text/html' }],
  ])('leaves the API what is for %s', async (_who, method, path, headers) => {
    expect(await send(method, path, headers)).toMatchObject({ status: 404, body: 'the API' });
  });

  it('has at most 60 KB in all, and names no other origin', async () => {
    const files = Object.values(await bundlePage());

    expect(files.reduce((sum, file) => sum + Buffer.byteLength(file.text), 0)).toBeLessThanOrEqual(60 * 1024);
    for (const file of files) expect(file.text).not.toMatch(/https?:\/\/(?!127\.0\.0\.1|localhost)[a-z]/);
  });
});

describe('the controls', () => {
  it.each([
    ['a command of this machine', {}],
    ['the page', { origin: 'self', 'sec-fetch-site': 'same-origin' }],
  ])('obey %s', async (_who, headers) => {
    const own = 'origin' in headers ? { ...headers, origin: `http://127.0.0.1:${port}` } : headers;

    expect(await send('POST', '/_local/user', { ...json, ...own }, ban)).toMatchObject({ status: 200 });
    expect(used).toEqual([{ change: 'ban', user_id: 'u' }]);
  });

  it.each<[string, Record<string, string>]>([
    ['a name that somebody pointed to this machine', { ...json, host: 'evil.test' }],
    ['the right name with another port', { ...json, host: '127.0.0.1:1' }],
    ['no port', { ...json, host: '127.0.0.1' }],
    ['a page of elsewhere', { ...json, origin: 'https://evil.test' }],
    ['a page of another port', { ...json, origin: 'http://127.0.0.1:1' }],
    ['a page of no origin', { ...json, origin: 'null' }],
    ['another site, by its browser', { ...json, 'sec-fetch-site': 'cross-site' }],
    ['another port, by its browser', { ...json, 'sec-fetch-site': 'same-site' }],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['a form that writes JSON', { 'content-type': 'text/plain' }],
    ['nothing that says what it is', {}],
  ])('refuse %s', async (_who, headers) => {
    const answer = await send('POST', '/_local/user', headers, ban);

    expect(answer.status).toBe(403);
    expect(used).toEqual([]);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it.each(['/_local/state', '/_local/events', '/_local/page.js'])(
    'show %s to no other site',
    async (path) => {
      expect(await send('GET', path, { host: 'evil.test' })).toMatchObject({ status: 403 });
      expect(await send('GET', path, { 'sec-fetch-site': 'cross-site' })).toMatchObject({ status: 403 });
    },
  );

  it('refuse other methods', async () => {
    expect(await send('OPTIONS', '/_local/user', { origin: 'https://evil.test' })).toMatchObject({
      status: 403,
    });
    expect(await send('DELETE', '/_local/user', json)).toMatchObject({ status: 403 });
  });

  it('say what is wrong with a request', async () => {
    expect(await send('POST', '/_local/refused', json)).toMatchObject({
      status: 400,
      body: '{"error":"There is no such user."}',
    });
    expect(await send('POST', '/_local/user', json, '{')).toMatchObject({ status: 400 });
    for (const name of ['nothing', 'toString', '', 'state'])
      expect(await send('POST', `/_local/${name}`, json), name).toMatchObject({ status: 404 });
    expect(await send('GET', '/_local/user')).toMatchObject({ status: 404 });
  });
});

describe('the events', () => {
  const record = (requestId: string) => ({
    ...{ requestId, method: 'GET', path: '/member/me', status: 200, durationMs: 1, headers: [] },
    body: '{}',
  });

  async function firstEvents(headers: Record<string, string> = {}): Promise<string> {
    const sent = request({ port, host: '127.0.0.1', path: '/_local/events', headers, agent: false });
    sent.end();
    const [response] = await once(sent, 'response');
    let read = '';
    for await (const chunk of response) {
      read += chunk;
      if (read.endsWith('\n\n') && read.includes('data:')) break;
    }
    sent.destroy();
    return read;
  }

  it('are all there for a new page, and for one that lost its connection those it has missed', async () => {
    journal.request(record('first'));
    const all = await firstEvents();
    const id = /^id: (\d+)$/m.exec(all)?.[1] ?? '';
    journal.request(record('second'));

    expect(all).toContain('"request_id":"first"');
    const missed = await firstEvents({ 'last-event-id': id });
    expect(missed).toContain('"request_id":"second"');
    expect(missed).not.toContain('"request_id":"first"');
  });
});
