/**
 * How the AWS SDK reaches a service from functions that carry undici for WeChat. With Node's own client the SDK takes half
 * as much CPU again for a login, and leaves it 20 KB that outlive it by seconds, which each collection of garbage copies.
 * In other functions undici would cost a start 10 ms.
 */
import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import Client from 'undici/lib/dispatcher/client.js';
import { createSocketOpener, type SocketOpener } from '../network/open-socket.ts';
import { limits } from './clients.ts';

type HttpHandler = Extract<
  NonNullable<DynamoDBClientConfig['requestHandler']>,
  { httpHandlerConfigs: unknown }
>;

type Response = Awaited<ReturnType<HttpHandler['handle']>>;

/** What is read of a request; none of DynamoDB or Secrets Manager has a query. */
interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: Uint8Array;
}

/** As long as it is good: a service that ends an idle connection says so, and the SDK repeats what met its end. */
const KEEP_ALIVE_MS = 3_600_000;

/** Of one service at a time, as the SDK's own handler has them. What comes beyond waits. */
const MAX_CONNECTIONS = 50;

/** Connections are kept. undici's own pool takes a second one for a request that follows another at once. */
class Connections {
  readonly #origin: string;
  readonly #openSocket: SocketOpener;
  readonly #idle: Client[] = [];
  readonly #waiting: ((client: Client) => void)[] = [];
  #count = 0;

  constructor(origin: string) {
    this.#origin = origin;
    this.#openSocket = createSocketOpener(new URL(origin));
  }

  async take(): Promise<Client> {
    const kept = this.#idle.pop();
    if (kept !== undefined) return kept;
    if (this.#count === MAX_CONNECTIONS) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#count += 1;
    return this.#create();
  }

  give(client: Client): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(client);
    else next(client);
  }

  /** After an error nothing of a client is used again. */
  replace(client: Client): void {
    void client.destroy();
    this.give(this.#create());
  }

  destroy(): void {
    for (const client of this.#idle) void client.destroy();
  }

  /** Connects with its first request. */
  #create(): Client {
    return new Client(this.#origin, {
      connect: (_, callback) => {
        const signal = AbortSignal.timeout(limits.connectMs);
        void this.#openSocket(signal).then(
          (socket) => callback(null, socket),
          (error) => callback(signal.aborted ? timedOut() : error, null),
        );
      },
      // Its own timers are half a second late.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
    });
  }
}

/** SDK clients may share a handler. */
export function createUndiciHandler(): HttpHandler {
  const services = new Map<string, Connections>();

  return {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle({ protocol, hostname, port, path, method, headers, body }: SdkRequest) {
      const origin = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
      const connections = services.get(origin) ?? new Connections(origin);
      services.set(origin, connections);
      const client = await connections.take();
      return new Promise<Response>((resolve, reject) => {
        const response = { statusCode: 0, headers: {}, body: new Uint8Array() };
        const parts: Buffer[] = [];
        let silence: NodeJS.Timeout | undefined;
        client.dispatch(
          { path, method, headers, body: body ?? null },
          {
            // There is a connection.
            onRequestStart(controller) {
              silence = setTimeout(() => controller.abort(timedOut()), limits.silenceMs);
            },
            onResponseStart(_, statusCode, responseHeaders) {
              silence?.refresh();
              response.statusCode = statusCode;
              response.headers = Object.fromEntries(
                Object.entries(responseHeaders).map(([name, value]) => [name, String(value)]),
              );
            },
            onResponseData(_, part) {
              silence?.refresh();
              parts.push(part);
            },
            onResponseEnd() {
              clearTimeout(silence);
              connections.give(client);
              response.body = Buffer.concat(parts);
              resolve({ response });
            },
            onResponseError(_, error) {
              clearTimeout(silence);
              connections.replace(client);
              reject(inWordsOfNode(error));
            },
          },
        );
      });
    },
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
    destroy() {
      for (const connections of services.values()) connections.destroy();
    },
  };
}

// The SDK repeats what failed on the way, and knows that by the words of Node's own client.

const timedOut = (): Error =>
  Object.assign(new Error('no response in time'), { name: 'TimeoutError', code: 'ETIMEDOUT' });

/** That a connection has ended, perhaps within a response. */
const ended: readonly unknown[] = ['UND_ERR_SOCKET', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'];

function inWordsOfNode(error: Error): Error {
  if (error.name !== 'HTTPParserError' && !('code' in error && ended.includes(error.code))) return error;
  return Object.assign(new Error('the connection has ended'), { code: 'ECONNRESET' });
}
