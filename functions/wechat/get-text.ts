/**
 * One GET over a connection pool that knows, when it fails, whether the request can have reached the server:
 * a code is consumed by the first request that arrives, so only a request that was never written may be repeated.
 */
import type { Dispatcher } from 'undici';

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
  /** The body decoded as UTF-8, whatever its content type claims. */
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

/**
 * Sends `GET path` and reads the whole body. Redirects are not followed.
 *
 * @throws TransportError as soon as a limit is reached or the connection fails.
 */
export function getText(pool: Dispatcher, path: string, limits: GetTextLimits): Promise<TextResponse> {
  const { signal, connectTimeoutMs, maxBytes } = limits;
  return new Promise((resolve, reject) => {
    // Present from the moment undici starts to write the request on a connected socket.
    let controller: Dispatcher.DispatchController | undefined;
    let settled = false;
    let status = 0;
    let size = 0;
    const chunks: Buffer[] = [];

    const settle = (): boolean => {
      if (settled) return false;
      settled = true;
      clearTimeout(connectTimer);
      signal.removeEventListener('abort', onAbort);
      return true;
    };
    const fail = (what: string): void => {
      if (!settle()) return;
      reject(new TransportError(what, controller !== undefined));
      controller?.abort(new Error('abandoned'));
    };
    const onAbort = (): void => fail('no complete answer within the time budget');
    const connectTimer = setTimeout(() => fail('no connection in time'), connectTimeoutMs);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) return onAbort();

    pool.dispatch(
      { method: 'GET', path },
      {
        onRequestStart(started) {
          // A connection that came too late: this is the last moment before the request is written.
          if (settled) return started.abort(new Error('abandoned'));
          controller = started;
          clearTimeout(connectTimer);
        },
        onResponseStart(_, statusCode) {
          status = statusCode;
        },
        onResponseData(_, chunk) {
          size += chunk.length;
          if (size > maxBytes) fail(`answer larger than ${maxBytes} bytes`);
          else chunks.push(chunk);
        },
        onResponseEnd() {
          if (settle()) resolve({ status, body: Buffer.concat(chunks).toString('utf8') });
        },
        onResponseError(_, error) {
          fail(`${controller === undefined ? 'no connection' : 'connection lost'} (${errorName(error)})`);
        },
      },
    );
  });
}

/** What kind of error it is in one word; messages are not used, as they may quote hosts, and parsers quote bodies. */
function errorName(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return /^\w{1,64}$/.test(code) ? code : 'unknown error';
}
