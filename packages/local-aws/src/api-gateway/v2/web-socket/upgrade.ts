/** WebSockets on the wire: handshakes and messages, which an API responds to. */
import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { toApiRequest } from '../../request.ts';
import { type OnRequest, recordOf } from '../../request-record.ts';
import { writeResponse } from '../../response.ts';
import type { ServedApi, WebSocketConnection } from '../../served-api.ts';

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html, bytes. */
const MAX_MESSAGE_BYTES = 128 * 1024;

/**
 * Lets a server accept WebSockets.
 *
 * @returns cuts every connection
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
    // Only the API chooses a sub-protocol.
    handleProtocols: (_, message) => protocols.get(message) ?? false,
  });
  const pending = new Set<Duplex>();

  const upgrade = async (message: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const startedAt = performance.now();
    // Clients may leave at any time; there is nobody to tell.
    socket.on('error', () => {});
    pending.add(socket);
    const request = toApiRequest(message, Buffer.alloc(0));
    const connected = await connect(request);
    pending.delete(socket);
    if ('response' in connected) {
      onRequest(recordOf(request, writeResponse(responseOn(socket, message), connected), startedAt));
      return;
    }
    if (connected.protocol !== undefined) protocols.set(message, connected.protocol);
    sockets.handleUpgrade(message, socket, head, (webSocket) => {
      onRequest(recordOf(request, { response: { status: 101, headers: [], body: '' } }, startedAt));
      attach(webSocket, connected, onRequest);
    });
  };

  server.on('upgrade', (message, socket, head) => void upgrade(message, socket, head));
  return () => {
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

function attach(webSocket: WebSocket, connection: WebSocketConnection, onRequest: OnRequest): void {
  const respond = async (text: string): Promise<void> => {
    const startedAt = performance.now();
    const { requestId, ...result } = await connection.message(text);
    if (webSocket.readyState !== webSocket.OPEN) return;
    const { body } = result.response;
    if (body.length > 0) webSocket.send(body.toString());
    onRequest(recordOf({ requestId, method: 'MESSAGE', path: '$default' }, result, startedAt));
  };
  webSocket.on('message', (data) => void respond(String(data)));
  // What breaks the protocol closes the connection.
  webSocket.on('error', () => {});
}
