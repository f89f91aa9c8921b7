import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSocketOpener, type SocketOpener } from '../../../functions/network/open-socket.ts';
import { createTextSource, type TextSource, TransportError } from '../../../functions/wechat/get-text.ts';

let server: Server;
let url: URL;
let source: TextSource;
let requests: number;
let connections: number;
/** How the server answers, one entry a request; the last one goes on. */
let answers: RequestListener[];
let clock: { ms: number };

const plain: RequestListener = (_, response) => {
  response.writeHead(200, { 'content-type': 'text/plain; charset=latin1' }).end('答案');
};
const nothing: RequestListener = () => {};
const fin: RequestListener = ({ socket }) => void socket.end();
const rst: RequestListener = ({ socket }) => void socket.resetAndDestroy();

beforeEach(async () => {
  [requests, connections, answers, clock] = [0, 0, [plain], { ms: 1_000_000 }];
  server = createServer((request, response) => {
    requests += 1;
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    answer?.(request, response);
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  openSource();
});

afterEach(() => {
  source.close();
  server.closeAllConnections();
  server.close();
});

function openSource(openSocket: SocketOpener = createSocketOpener(url)): void {
  source = createTextSource({ url, keepAliveMs: 4_000, now: () => clock.ms, openSocket });
}

const get = (limits: { signal?: AbortSignal; connectTimeoutMs?: number; maxBytes?: number } = {}) =>
  source.getText('/', {
    signal: new AbortController().signal,
    connectTimeoutMs: 60_000,
    maxBytes: 100,
    ...limits,
  });

async function failureOf(getting: Promise<unknown>): Promise<TransportError> {
  const error = await getting.then(
    () => expect.unreachable('the request must fail'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof TransportError)) throw error;
  return error;
}

/** A network whose connections come about when the test says so; it waits for the end of each. */
function heldNetwork(): { release: () => Promise<void> } {
  const released = Promise.withResolvers<void>();
  const ends: Promise<unknown>[] = [];
  openSource(
    createSocketOpener(url, {
      resolve: async () => [{ address: '127.0.0.1', family: 4 }],
      dial: (address, port) => {
        const socket = new Socket();
        ends.push(new Promise((resolve) => socket.once('close', resolve)));
        void released.promise.then(() => socket.destroyed || socket.connect(port, address));
        return socket;
      },
    }),
  );
  return {
    release: async () => {
      released.resolve();
      await Promise.all(ends);
    },
  };
}

describe('getText', () => {
  it('reads the body as UTF-8, whatever its content type claims', async () => {
    expect(await get()).toEqual({ status: 200, body: '答案' });
  });

  it('leaves a byte order mark out', async () => {
    answers = [(_, response) => void response.end('\uFEFF{}')];

    expect((await get()).body).toBe('{}');
  });

  it.each([
    ['the connect time-out', () => ({ connectTimeoutMs: 20 }), 'no connection in time'],
    [
      'the budget',
      () => ({ signal: AbortSignal.timeout(20) }),
      'no complete response within the time budget',
    ],
  ])('never writes on a connection that came about after %s', async (_, limits, message) => {
    const { release } = heldNetwork();

    const error = await failureOf(get(limits()));
    await release();

    expect(error).toMatchObject({ message, sent: false });
    expect(requests).toBe(0);
  });

  it('sends nothing when its budget is over before it begins', async () => {
    const error = await failureOf(get({ signal: AbortSignal.abort() }));

    expect(error).toMatchObject({ sent: false });
    expect(requests).toBe(0);
  });

  it('sends nothing when its budget is over before it begins, on a kept connection either', async () => {
    await get();
    const error = await failureOf(get({ signal: AbortSignal.abort() }));

    expect(error).toMatchObject({ sent: false });
    expect(requests).toBe(1);
  });

  it('says "sent" once the request was written, and closes that connection', async () => {
    const budget = new AbortController();
    const closed = new Promise((resolve) => {
      answers = [
        ({ socket }) => {
          socket.on('close', resolve);
          budget.abort();
        },
      ];
    });

    const error = await failureOf(get({ signal: budget.signal }));

    expect(error).toMatchObject({ sent: true });
    await closed;
    expect(requests).toBe(1);
  });

  it('opens another connection while one is busy', async () => {
    const budget = new AbortController();
    answers = [nothing, plain];
    const first = failureOf(get({ signal: budget.signal }));
    await expect.poll(() => requests, { timeout: 60_000 }).toBe(1);

    expect((await get()).status).toBe(200);
    expect(connections).toBe(2);
    budget.abort();
    await first;
  });

  it('takes a body of exactly the limit, counted in bytes, and no more', async () => {
    const body = '答'.repeat(10);
    answers = [(_, response) => void response.end(body)];

    expect((await get({ maxBytes: 30 })).body).toBe(body);
    expect(await failureOf(get({ maxBytes: 29 }))).toMatchObject({
      message: 'response larger than 29 bytes',
      sent: true,
    });
  });
});

describe('an encoded answer', () => {
  const encoded =
    (encoding: string, body: Buffer): RequestListener =>
    (_, response) =>
      void response.writeHead(200, { 'content-encoding': encoding }).end(body);

  it('asks for no encoded body', async () => {
    let asked: unknown;
    answers = [
      ({ headers }, response) => {
        asked = headers['accept-encoding'];
        response.end();
      },
    ];
    await get();

    expect(asked).toBe('identity');
  });

  it('reads a gzip body although it asked for none', async () => {
    answers = [encoded('gzip', gzipSync('答案'))];

    expect((await get()).body).toBe('答案');
  });

  it.each([
    ['of another kind', () => encoded('br', Buffer.from('x'))],
    ['that is damaged', () => encoded('gzip', Buffer.from('{}'))],
    ['that unfolds to more than the limit', () => encoded('gzip', gzipSync('x'.repeat(101)))],
  ])('refuses an encoded body %s, and does not send the request again', async (_, answer) => {
    answers = [answer()];

    expect(await failureOf(get())).toMatchObject({
      message: 'response in an encoding that cannot be read',
      sent: true,
    });
    expect(requests).toBe(1);
  });
});

describe('a kept connection', () => {
  it('uses a kept connection until it was idle for too long', async () => {
    await get();
    clock.ms += 4_000;
    await get();
    const before = connections;
    clock.ms += 4_001;
    await get();

    expect([before, connections]).toEqual([1, 2]);
  });

  it('uses no kept connection after the clock was set back', async () => {
    await get();
    clock.ms -= 600_000;
    await get();

    expect(connections).toBe(2);
  });

  it.each([
    ['FIN', fin],
    ['RST', rst],
  ])(
    'replaces a kept connection that ends with %s instead of a response by a new one, once',
    async (_, ending) => {
      answers = [plain, ending, plain];
      await get();

      expect(await get()).toEqual({ status: 200, body: '答案' });
      expect({ requests, connections }).toEqual({ requests: 3, connections: 2 });
    },
  );

  it('does not write on a kept connection that was closed meanwhile', async () => {
    await get();
    server.closeAllConnections();

    expect(await get()).toEqual({ status: 200, body: '答案' });
    expect({ requests, connections }).toEqual({ requests: 2, connections: 2 });
  });

  it('replaces a kept connection on which another response arrived unasked, and gives that one to nobody', async () => {
    let kept: Socket | undefined;
    answers = [
      (request, response) => {
        kept = request.socket;
        plain(request, response);
      },
      plain,
    ];
    await get();
    const closed = once(kept ?? expect.unreachable('nothing was asked'), 'close');
    kept?.write('HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nmallory');
    await closed;

    expect(await get()).toEqual({ status: 200, body: '答案' });
    expect({ requests, connections }).toEqual({ requests: 2, connections: 2 });
  });

  it('replaces no connection twice', async () => {
    answers = [plain, rst];
    await get();

    expect(await failureOf(get())).toMatchObject({ message: 'connection lost (ECONNRESET)', sent: true });
    expect({ requests, connections }).toEqual({ requests: 3, connections: 2 });
  });

  it('does not replace a kept connection that ends after a byte of the response', async () => {
    answers = [plain, ({ socket }) => void socket.end('H')];
    await get();

    expect(await failureOf(get())).toMatchObject({ sent: true });
    expect({ requests, connections }).toEqual({ requests: 2, connections: 1 });
  });

  it('does not replace a kept connection that the caller gave up', async () => {
    const budget = new AbortController();
    answers = [plain, () => budget.abort()];
    await get();

    expect(await failureOf(get({ signal: budget.signal }))).toMatchObject({ sent: true });
    expect({ requests, connections }).toEqual({ requests: 2, connections: 1 });
  });
});

describe('a POST', () => {
  const post = (json: string) =>
    source.postJson('/route', json, {
      signal: new AbortController().signal,
      connectTimeoutMs: 60_000,
      maxBytes: 100,
    });
  const echo: RequestListener = async (request, response) => {
    const { 'content-type': type, 'content-length': length, 'transfer-encoding': chunks } = request.headers;
    response.end(JSON.stringify([request.method, type, length, chunks, await text(request)]));
  };

  it('carries its JSON with its length, in bytes', async () => {
    answers = [echo];

    const { body } = await post('{"a":"答"}');

    expect(JSON.parse(body)).toEqual(['POST', 'application/json', '11', null, '{"a":"答"}']);
  });

  it('whose kept connection ends instead of an answer is sent once more, whole', async () => {
    answers = [plain, rst, echo];
    await get();

    const { body } = await post('{"a":1}');

    expect(JSON.parse(body)).toContain('{"a":1}');
    expect({ requests, connections }).toEqual({ requests: 3, connections: 2 });
  });
});

it.each([
  ['FIN', fin],
  ['RST', rst],
])('does not replace a connection that was opened for a request and ends with %s', async (_, ending) => {
  answers = [ending, plain];

  expect(await failureOf(get())).toMatchObject({ sent: true });
  expect(requests).toBe(1);
});

it('fails the requests under way when the source is closed', async () => {
  answers = [nothing];
  const failing = failureOf(get());
  await once(server, 'request');
  source.close();

  expect(await failing).toMatchObject({ sent: true });
});
