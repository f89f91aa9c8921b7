/** The responses of WeChat and of the simulator's own routes. */
import type { ServerResponse } from 'node:http';

/** As WeChat does: HTTP 200 and `text/plain` for JSON, for errors too. */
export function sendAnswer(response: ServerResponse, answer: unknown): void {
  sendText(response, 200, JSON.stringify(answer), 'text/plain');
}

export function sendText(response: ServerResponse, status: number, body: string, contentType: string): void {
  response
    .writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) })
    .end(body);
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  sendText(response, status, JSON.stringify(body), 'application/json');
}
