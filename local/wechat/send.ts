/** The responses of WeChat and of the simulator's own routes. */
import type { ServerResponse } from 'node:http';

/** What WeChat calls its JSON: `text/plain` on the `sns` routes, `application/json` on the others. */
export type MediaType = 'text/plain' | 'application/json';

/** As WeChat does: HTTP 200, for errors too. */
export function sendResponse(response: ServerResponse, json: unknown, type: MediaType): void {
  sendText(response, 200, JSON.stringify(json), type);
}

export function sendText(response: ServerResponse, status: number, body: string, contentType: string): void {
  response
    .writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) })
    .end(body);
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  sendText(response, status, JSON.stringify(body), 'application/json');
}
