/** The record of each request that got a response. */
import type { GatewayResult, HeaderLine } from './response.ts';

/** One request or WebSocket message: what the local run prints a line from. */
export interface RequestRecord {
  readonly requestId: string;
  /** An HTTP method, or `MESSAGE` over an open WebSocket. */
  readonly method: string;
  /** Path as sent, without the query string; of a message, its route. */
  readonly path: string;
  readonly status: number;
  readonly durationMs: number;
  readonly headers: readonly HeaderLine[];
  /** The body that went back: whatever is secret in a response is in it. */
  readonly body: string | Buffer;
  /** The gateway response that was sent, when the gateway refused. */
  readonly refusal?: string;
  /** What went wrong in the local run itself, when that is why it refused. */
  readonly fault?: string;
}

/** Receives each request and its response. */
export type OnRequest = (record: RequestRecord) => void;

/**
 * The record of a response that is on its way.
 *
 * @param startedAt `performance.now()` when the request came
 */
export function recordOf(
  { requestId, method, path }: Pick<RequestRecord, 'requestId' | 'method' | 'path'>,
  { response, refusal, fault }: GatewayResult,
  startedAt: number,
): RequestRecord {
  return {
    requestId,
    method,
    path,
    status: response.status,
    durationMs: performance.now() - startedAt,
    headers: response.headers,
    body: response.body,
    ...(refusal === undefined ? {} : { refusal }),
    ...(fault === undefined ? {} : { fault }),
  };
}
