/** The wire side of WebSocket APIs: handshakes that an API accepts or refuses, and messages it is handed. */
import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { RoutedAnswer, ServedApi, WebSocketConnection } from '../../call.ts';
import { toApiRequest } from '../../request.ts';
import { type OnRequest, recordOf } from '../../request-record.ts';
import { writeResponse } from '../../response.ts';

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html, bytes. */
const MAX_MESSAGE_BYTES = 128 * 1024;

/** Close code for a message that is not text. https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 */
const UNSUPPORTED_DATA = 1003;

/**
 * Lets a server accept WebSockets.
 *
 * @returns cuts every connection; the API is told of none
 */
export function acceptWebSockets(
  server: Server,
  connect: NonNullable<ServedApi['connect']>,
  onRequest: OnRequest,
): () => void {
  const protocols = new WeakMap<IncomingMessage, string>();
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    // The client's offer alone chooses nothing: without a word of the API there is no sub-protocol.
    handleProtocols: (_, message) => protocols.get(message) ?? false,
  });
  const pending = new Set<Duplex>();
  let closed = false;

  const upgrade = async (message: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const startedAt = performance.now();
    // Clients may leave at any time; there is nobody to tell.
    socket.on('error', () => {});
    pending.add(socket);
    const request = toApiRequest(message, Buffer.alloc(0));
    const outcome = await connect(request);
    pending.delete(socket);
    if ('response' in outcome) {
      onRequest(recordOf(request, writeResponse(responseOn(socket, message), outcome), startedAt));
      return;
    }
    if (outcome.protocol !== undefined) protocols.set(message, outcome.protocol);
    sockets.handleUpgrade(message, socket, head, (webSocket) => {
      const accepted = { response: { status: 101, headers: [], body: '' } };
      onRequest(recordOf(request, accepted, startedAt));
      attach(webSocket, outcome, onRequest, () => closed);
    });
  };

  server.on('upgrade', (message, socket, head) => void upgrade(message, socket, head));
  return () => {
    closed = true;
    for (const socket of pending) socket.destroy();
    for (const client of sockets.clients) client.terminate();
  };
}

/** An ordinary response in place of the handshake's; the connection ends with it. */
function responseOn(socket: Duplex, message: IncomingMessage): ServerResponse {
  const response = new ServerResponse(message);
  response.shouldKeepAlive = false;
  // Node hands a server's own TCP connection to the listener under the type that HTTPS shares.
  response.assignSocket(socket as Socket);
  response.on('finish', () => socket.end());
  return response;
}

function attach(
  webSocket: WebSocket,
  connection: WebSocketConnection,
  onRequest: OnRequest,
  isClosed: () => boolean,
): void {
  const answered = async (method: string, answer: Promise<RoutedAnswer>): Promise<void> => {
    const startedAt = performance.now();
    const { requestId, routeKey, ...result } = await answer;
    if (isClosed()) return;
    const { body } = result.response;
    if (method === 'MESSAGE' && body.length > 0 && webSocket.readyState === webSocket.OPEN)
      webSocket.send(body.toString());
    onRequest(recordOf({ requestId, method, path: routeKey }, result, startedAt));
  };
  webSocket.on('message', (data, isBinary) => {
    if (isBinary) webSocket.close(UNSUPPORTED_DATA, 'Binary is not supported');
    else void answered('MESSAGE', connection.message(String(data)));
  });
  webSocket.on('close', (code, reason) => {
    if (!isClosed()) void answered('DISCONNECT', connection.disconnect(code, reason.toString()));
  });
  // What breaks the protocol closes the connection, which is told above.
  webSocket.on('error', () => {});
}
