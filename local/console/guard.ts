/**
 * Who may use the console: programs of this machine, and pages that came from the console itself. A browser would
 * otherwise let any web page ban users here: by a form, from another port, or by a name that it points to 127.0.0.1.
 */
import type { IncomingMessage } from 'node:http';

const LOOPBACK = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);

/** Whether a request came from this machine and names it as this machine, not by a name that anybody could own. */
export function isFromHere({ socket, headers }: IncomingMessage): boolean {
  const { remoteAddress = '', localPort } = socket;
  const names = [`127.0.0.1:${localPort}`, `localhost:${localPort}`];
  return LOOPBACK.has(remoteAddress) && names.includes(headers.host ?? '');
}

/** Why a request may not use the controls; undefined when it may. */
export function objectionTo(message: IncomingMessage): string | undefined {
  const { method, headers } = message;
  if (!isFromHere(message)) return 'only this machine, at 127.0.0.1 or localhost, may use the controls';
  if (headers.origin !== undefined && headers.origin !== `http://${headers.host}`)
    return 'no page of another origin may use the controls';
  if (!['same-origin', 'none', undefined].includes(String(headers['sec-fetch-site'] ?? 'none')))
    return 'no other site may use the controls';
  if (method !== 'GET' && method !== 'POST') return 'the controls take GET and POST';
  // A form cannot send this type, and a script of another origin would have to ask first.
  if (method === 'POST' && headers['content-type'] !== 'application/json')
    return 'the controls take JSON, as application/json';
  return undefined;
}
