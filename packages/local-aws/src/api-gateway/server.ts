/** API Gateway on this machine: each API has a port and is served at its root, as behind a custom domain. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { LocalRunError } from '../errors.ts';
import { listenOnLoopback } from '../loopback-server.ts';
import { toApiRequest } from './request.ts';
import { type OnRequest, recordOf } from './request-record.ts';
import { writeResponse } from './response.ts';
import type { ServedApi } from './served-api.ts';
import { acceptWebSockets } from './v2/web-socket/upgrade.ts';

/** A gateway that listens. */
export interface Gateway {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  /** Puts an API behind it; earlier requests wait for this. */
  serve(api: ServedApi): void;
  /** Stops listening; open connections are cut. */
  close(): Promise<void>;
}

/** Responds to a request itself, before the API sees it, and says so; `false` leaves it to the API. */
export type RespondBefore = (message: IncomingMessage, response: ServerResponse) => boolean;

/** API Gateway's limit for a request body, bytes. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;

/**
 * Starts listening, before there is an API: a stack may need to know its own address.
 *
 * @param port 0 picks a free one
 * @param respondBefore what is served beside the API
 * @param host a further address to listen at, `0.0.0.0` for every one
 * @throws LocalRunError when the port cannot be opened
 */
export async function startGateway(
  port: number,
  onRequest: OnRequest = () => {},
  respondBefore: RespondBefore = () => false,
  host?: string,
): Promise<Gateway> {
  const { promise: api, resolve: setApi } = Promise.withResolvers<ServedApi>();
  let disconnectAll = (): void => {};
  const server = createServer((message, response) => {
    if (!respondBefore(message, response)) void serve(message, response, api, onRequest);
  });
  const { url, close } = await listenOnLoopback(server, port, host).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRNOTAVAIL')
      throw new LocalRunError(`HOST ${host} is no address of this machine.`, { cause: error });
    const why = error.code === 'EADDRINUSE' ? 'is already in use' : `cannot be opened (${error.code})`;
    throw new LocalRunError(`Port ${port} ${why}: set PORT to another one, or to 0 for any free one.`, {
      cause: error,
    });
  });
  return {
    url,
    serve: (served) => {
      setApi(served);
      if (served.connect !== undefined) disconnectAll = acceptWebSockets(server, served.connect, onRequest);
    },
    close: () => {
      disconnectAll();
      return close();
    },
  };
}

async function serve(
  message: IncomingMessage,
  response: ServerResponse,
  api: Promise<ServedApi>,
  onRequest: OnRequest,
): Promise<void> {
  const startedAt = performance.now();
  const body = await readBody(message).catch(() => undefined);
  // The client went away before it had sent everything.
  if (body === undefined) return;
  const request = toApiRequest(message, body === 'too large' ? Buffer.alloc(0) : body);
  const { respond } = await api;
  const written = writeResponse(response, await respond(request, body === 'too large'));
  onRequest(recordOf(request, written, startedAt));
}

/** Reads the body to its end even when it is too large: otherwise the client could not read the response. */
async function readBody(message: IncomingMessage): Promise<Buffer | 'too large'> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
    else chunks.length = 0;
  }
  return size > MAX_BODY_BYTES ? 'too large' : Buffer.concat(chunks);
}
