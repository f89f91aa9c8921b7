/**
 * One request over connections that are kept, by a client that knows, when it fails, whether it can have reached the
 * server: a code is consumed by the first request that arrives, so only a request that was never written may be
 * sent to another host.
 *
 * A connection is opened before undici gets it. So whether it is new or was kept is known for every request, which
 * decides on the one repetition that HTTP allows (RFC 9112, 9.3.1).
 */
import type { Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import Client from 'undici/lib/dispatcher/client.js';
import { elapsedMs } from '../cache/elapsed.ts';
import { createSocketOpener, type SocketOpener } from '../network/open-socket.ts';

/** Bounds of one request. */
export interface GetTextLimits {
  /** Ends the request, whatever it is doing. */
  readonly signal: AbortSignal;
  /** Milliseconds until a connection must be ready to write on: DNS, TCP and TLS together. */
  readonly connectTimeoutMs: number;
  /** Bytes of body that are read at most. */
  readonly maxBytes: number;
}

/** A complete response. */
export interface TextResponse {
  readonly status: number;
  /** The body decoded as UTF-8, whatever its content type claims, without a byte order mark. */
  readonly body: string;
}

/** A request without a complete response. Quotes nothing of the request, the response or the error underneath. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  /** Whether a byte of the request may have left; `false` is certain. */
  readonly sent: boolean;

  constructor(what: string, sent: boolean) {
    super(what);
    this.sent = sent;
  }
}

/** A kept connection ended before the request was written, or after that without a byte of the response. */
class KeptConnectionEnded extends Error {}

/** One host and the connections to it. */
export interface TextSource {
  /**
   * Sends `GET path` and reads the whole body. Redirects are not followed. A request whose kept connection ends
   * without a byte of the response is sent once more, on a new connection.
   *
   * @throws TransportError as soon as a limit is reached or the connection fails.
   */
  getText(path: string, limits: GetTextLimits): Promise<TextResponse>;
  /** The same with `POST` and JSON as its body, whose length is always said: WeChat responds to chunks with 412. */
  postJson(path: string, json: string, limits: GetTextLimits): Promise<TextResponse>;
  /** Ends all connections; requests under way fail. */
  close(): void;
}

/** What {@link createTextSource} needs. */
export interface TextSourceOptions {
  readonly url: URL;
  /** Milliseconds without use after which a connection may be dead without this process having been told. */
  readonly keepAliveMs: number;
  /** Wall clock as Unix time in milliseconds: Lambda freezes a process, and its timers do not run meanwhile. */
  readonly now: () => number;
  /** Default: over the network. */
  readonly openSocket?: SocketOpener;
}

interface SentRequest {
  readonly path: string;
  /** JSON; a request without is a GET. */
  readonly body?: string;
}

interface Connection {
  readonly client: Client;
  readonly socket: Socket;
  /** When its last response was complete; undefined before the first. */
  idleSince: number | undefined;
}

/** Nothing is opened before the first request. */
export function createTextSource(options: TextSourceOptions): TextSource {
  const { url, keepAliveMs, now, openSocket = createSocketOpener(url) } = options;
  const connections = new Set<Connection>();
  const idle: Connection[] = [];
  const closing = new AbortController();

  function takeIdle(): Connection | undefined {
    for (let kept = idle.pop(); kept !== undefined; kept = idle.pop()) {
      const { idleSince = 0, socket } = kept;
      if (!socket.destroyed && elapsedMs(idleSince, now()) <= keepAliveMs) return kept;
      discard(kept);
    }
    return undefined;
  }

  function discard(connection: Connection): void {
    connections.delete(connection);
    void connection.client.destroy();
  }

  async function open({ signal, connectTimeoutMs }: GetTextLimits): Promise<Connection> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), connectTimeoutMs);
    try {
      const socket = await openSocket(AbortSignal.any([signal, late.signal, closing.signal]));
      const connection = { client: clientOn(socket), socket, idleSince: undefined };
      connections.add(connection);
      return connection;
    } catch (error) {
      if (signal.aborted) throw new TransportError('no complete response within the time budget', false);
      if (late.signal.aborted) throw new TransportError('no connection in time', false);
      throw new TransportError(`no connection (${errorName(error)})`, false);
    } finally {
      clearTimeout(timer);
    }
  }

  function clientOn(socket: Socket): Client {
    let given = false;
    return new Client(url.origin, {
      connect: (_, callback) => {
        const first = !given;
        given = true;
        // undici expects a connection to take time.
        queueMicrotask(() => (first ? callback(null, socket) : callback(new Error('closed'), null)));
      },
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: keepAliveMs,
    });
  }

  function exchange(
    connection: Connection,
    { path, body }: SentRequest,
    limits: GetTextLimits,
  ): Promise<TextResponse> {
    const { client, socket, idleSince } = connection;
    const { signal, maxBytes } = limits;
    const bytesBefore = socket.bytesRead;
    return new Promise((resolve, reject) => {
      let started = false;
      let settled = false;
      let status = 0;
      let encoding: unknown;
      let size = 0;
      const chunks: Buffer[] = [];

      const settle = (): boolean => {
        if (settled) return false;
        settled = true;
        signal.removeEventListener('abort', onAbort);
        return true;
      };
      const fail = (error: Error): void => {
        if (!settle()) return;
        reject(error);
        discard(connection);
      };
      const lose = (what: string): void => fail(new TransportError(what, started));
      const onAbort = (): void => lose('no complete response within the time budget');
      signal.addEventListener('abort', onAbort);
      if (signal.aborted) return onAbort();

      client.dispatch(
        {
          method: body === undefined ? 'GET' : 'POST',
          path,
          headers: {
            // Without this header a server may choose any encoding (RFC 9110, 12.5.3).
            'accept-encoding': 'identity',
            ...(body !== undefined && { 'content-type': 'application/json' }),
          },
          ...(body !== undefined && { body }),
        },
        {
          onRequestStart(controller) {
            // The last moment before the request is written.
            if (settled) return controller.abort(new Error('abandoned'));
            started = true;
          },
          onResponseStart(_, statusCode, headers) {
            status = statusCode;
            encoding = headers['content-encoding'];
          },
          onResponseData(_, chunk) {
            size += chunk.length;
            if (size > maxBytes) lose(`response larger than ${maxBytes} bytes`);
            else chunks.push(chunk);
          },
          onResponseEnd() {
            const text = textOf(Buffer.concat(chunks), encoding, maxBytes);
            if (text === undefined) return lose('response in an encoding that cannot be read');
            if (!settle()) return;
            connection.idleSince = now();
            idle.push(connection);
            resolve({ status, body: text });
          },
          onResponseError(_, error) {
            const withoutResponse = !started || socket.bytesRead === bytesBefore;
            if (idleSince !== undefined && withoutResponse) fail(new KeptConnectionEnded());
            else lose(`connection lost (${errorName(error)})`);
          },
        },
      );
    });
  }

  async function send(request: SentRequest, limits: GetTextLimits): Promise<TextResponse> {
    const kept = takeIdle();
    if (kept !== undefined) {
      try {
        return await exchange(kept, request, limits);
      } catch (error) {
        if (!(error instanceof KeptConnectionEnded)) throw error;
      }
    }
    return exchange(await open(limits), request, limits);
  }

  return {
    getText: (path, limits) => send({ path }, limits),
    postJson: (path, body, limits) => send({ path, body }, limits),
    close() {
      closing.abort();
      for (const connection of connections) discard(connection);
    },
  };
}

/** Undefined when it cannot be read. */
function textOf(bytes: Buffer, encoding: unknown, maxBytes: number): string | undefined {
  if (encoding === undefined || encoding === 'identity') return new TextDecoder().decode(bytes);
  if (encoding !== 'gzip') return undefined;
  try {
    return new TextDecoder().decode(gunzipSync(bytes, { maxOutputLength: maxBytes }));
  } catch {
    return undefined;
  }
}

/** What kind of error it is in one word; messages are not used, as they may quote hosts, and parsers quote bodies. */
function errorName(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return /^\w{1,64}$/.test(code) ? code : 'unknown error';
}
