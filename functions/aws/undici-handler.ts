/**
 * How the AWS SDK reaches a service from functions that carry undici for WeChat. With Node's own client the SDK takes half
 * as much CPU again for a login, and leaves it 20 KB that outlive it by seconds, which each collection of garbage copies.
 * In other functions undici would cost a start 10 ms.
 */
import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import Client from 'undici/lib/dispatcher/client.js';
import { createSocketOpener } from '../network/open-socket.ts';
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

/** Connections are kept, and there are as many as requests at a time. SDK clients may share a handler. */
export function createUndiciHandler(): HttpHandler {
  const idle = new Map<string, Client[]>();

  function open(origin: string): Client {
    const openSocket = createSocketOpener(new URL(origin));
    return new Client(origin, {
      connect: (_, callback) =>
        void openSocket(AbortSignal.timeout(limits.connectMs)).then(
          (socket) => callback(null, socket),
          (error) => callback(error, null),
        ),
      // Its own timers are half a second late.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
    });
  }

  return {
    metadata: { handlerProtocol: 'http/1.1' },
    handle({ protocol, hostname, port, path, method, headers, body }: SdkRequest) {
      const origin = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
      const kept = idle.get(origin) ?? [];
      idle.set(origin, kept);
      const client = kept.pop() ?? open(origin);
      return new Promise<Response>((resolve, reject) => {
        const response = { statusCode: 0, headers: {}, body: new Uint8Array() };
        const parts: Buffer[] = [];
        let abort = (_: Error): void => {};
        const timer = setTimeout(() => abort(timedOut()), limits.silenceMs);
        client.dispatch(
          { path, method, headers, body: body ?? null },
          {
            onRequestStart(controller) {
              abort = (reason) => controller.abort(reason);
            },
            onResponseStart(_, statusCode, responseHeaders) {
              response.statusCode = statusCode;
              response.headers = responseHeaders;
            },
            onResponseData(_, part) {
              parts.push(part);
            },
            onResponseEnd() {
              clearTimeout(timer);
              kept.push(client);
              response.body = Buffer.concat(parts);
              resolve({ response });
            },
            onResponseError(_, error) {
              clearTimeout(timer);
              // The next request connects anew.
              kept.push(client);
              reject(inWordsOfNode(error));
            },
          },
        );
      });
    },
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
    destroy() {
      for (const client of [...idle.values()].flat()) void client.destroy();
    },
  };
}

// The SDK repeats what failed on the way, and knows that by the words of Node's own client.

const timedOut = (): Error =>
  Object.assign(new Error('no response in time'), { name: 'TimeoutError', code: 'ETIMEDOUT' });

function inWordsOfNode(error: Error): Error {
  // Also of the signal that ends an attempt to connect.
  if (error.name === 'TimeoutError') return timedOut();
  if (!('code' in error) || error.code !== 'UND_ERR_SOCKET') return error;
  return Object.assign(new Error('the connection has ended'), { code: 'ECONNRESET' });
}
