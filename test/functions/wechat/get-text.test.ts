import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import Pool from 'undici/lib/dispatcher/pool.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { getText, TransportError } from '../../../functions/wechat/get-text.ts';

let server: Server;
let pool: Pool;
let requests: number;
let answer: string;

beforeEach(async () => {
  requests = 0;
  answer = '答案';
  server = createServer((_, response) => {
    requests += 1;
    if (answer === 'never') return;
    response.writeHead(200, { 'content-type': 'text/plain; charset=latin1' }).end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  await pool.destroy();
  server.closeAllConnections();
  server.close();
});

/** A pool whose connections take `delayMs` to come about. */
function openPool(delayMs = 0, connections = 1): void {
  const { port } = server.address() as AddressInfo;
  pool = new Pool(`http://127.0.0.1:${port}`, {
    connections,
    connect(_, callback) {
      setTimeout(() => {
        const socket = connect(port, '127.0.0.1', () => callback(null, socket));
      }, delayMs);
    },
  });
}

const get = (limits: { connectTimeoutMs?: number; budgetMs?: number; maxBytes?: number } = {}) =>
  getText(pool, '/', {
    signal: AbortSignal.timeout(limits.budgetMs ?? 500),
    connectTimeoutMs: limits.connectTimeoutMs ?? 500,
    maxBytes: limits.maxBytes ?? 100,
  });

describe('getText', () => {
  it('reads the body as UTF-8, whatever its content type claims', async () => {
    openPool();

    expect(await get()).toEqual({ status: 200, body: '答案' });
  });

  it.each([
    ['the connect time-out', { connectTimeoutMs: 50 }, 'no connection in time'],
    ['the budget', { budgetMs: 50 }, 'no complete answer within the time budget'],
  ])('never writes on a connection that came about after %s', async (_, limits, message) => {
    openPool(150);

    const error = await get(limits).catch((thrown: unknown) => thrown);
    await pause(250);

    expect(error).toBeInstanceOf(TransportError);
    expect(error).toMatchObject({ message, sent: false });
    expect(requests).toBe(0);
  });

  it('sends nothing when its budget is over before it begins', async () => {
    openPool();

    const error = await getText(pool, '/', {
      signal: AbortSignal.abort(),
      connectTimeoutMs: 500,
      maxBytes: 100,
    }).catch((thrown: unknown) => thrown);
    await pause(50);

    expect(error).toMatchObject({ sent: false });
    expect(requests).toBe(0);
  });

  it('says "sent" once the request was written', async () => {
    openPool();
    answer = 'never';

    const error = await get({ budgetMs: 100 }).catch((thrown: unknown) => thrown);

    expect(error).toMatchObject({ sent: true });
    expect(requests).toBe(1);
  });

  it('closes the connection of an answer it does not wait for any longer', async () => {
    openPool();
    answer = 'never';
    const closed = new Promise((resolve) => {
      server.on('connection', (socket) => socket.on('close', resolve));
    });

    await get({ budgetMs: 50 }).catch(() => {});

    await closed;
  });

  it('counts the wait for a busy connection as not sent', async () => {
    openPool();
    answer = 'never';
    const first = get({ budgetMs: 200 }).catch(() => {});
    const second = await get({ connectTimeoutMs: 50 }).catch((thrown: unknown) => thrown);
    await first;
    await pause(50);

    expect(second).toMatchObject({ sent: false });
    expect(requests).toBe(1);
  });

  it('takes a body of exactly the limit, counted in bytes, and no more', async () => {
    openPool();
    answer = '答'.repeat(10);
    const fits = await get({ maxBytes: 30 });
    const tooLarge = get({ maxBytes: 29 });

    expect(fits.body).toBe(answer);
    await expect(tooLarge).rejects.toMatchObject({ message: 'answer larger than 29 bytes', sent: true });
  });
});
