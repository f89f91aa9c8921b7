/** What goes back to the client, from an integration or from the gateway itself. */

import type { ServerResponse } from 'node:http';

/** One header line. */
export type HeaderLine = readonly [name: string, value: string];

/** A response; a header may stand in it more than once. */
export interface ApiResponse {
  readonly status: number;
  readonly headers: readonly HeaderLine[];
  readonly body: string | Buffer;
}

/** What comes of a request: its response, and why if that is not from an integration. */
export interface GatewayResult {
  readonly response: ApiResponse;
  /** The gateway response that was sent, when the gateway refused. */
  readonly refusal?: string;
  /** What went wrong in the local run itself, when that is why it refused. */
  readonly fault?: string;
}

/** The headers, after those defaults that they do not set. */
export function withDefaults(
  headers: readonly HeaderLine[],
  ...defaults: readonly HeaderLine[]
): readonly HeaderLine[] {
  const set = new Set(headers.map(([name]) => name.toLowerCase()));
  return [...defaults.filter(([name]) => !set.has(name.toLowerCase())), ...headers];
}

/** Writes the response and returns what was written: 500 when Node refuses a header. */
export function writeResponse(target: ServerResponse, result: GatewayResult): GatewayResult {
  const { status, headers, body } = result.response;
  try {
    for (const [name, value] of headers) target.appendHeader(name, value);
    target.writeHead(status).end(body);
    return result;
  } catch (error) {
    target.writeHead(500).end();
    return { fault: String(error), ...result, response: { status: 500, headers: [], body: '' } };
  }
}
