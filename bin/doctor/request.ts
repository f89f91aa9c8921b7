/** One request to a deployment, and in words why there was no response. */
import { setDefaultAutoSelectFamilyAttemptTimeout } from 'node:net';
import * as v from 'valibot';
import { Problem } from '../command/check.ts';

/**
 * Node abandons an address after 250 ms for the next one: too early for whoever looks from another continent. All of
 * them together have the ten seconds that `fetch` allows a connection.
 */
setDefaultAutoSelectFamilyAttemptTimeout(2_500);

/** What the checks read of a response. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The JSON of the body; undefined when it is not JSON. */
  readonly body: unknown;
}

/** There was no response; the message says why and what to look at. */
export class NoResponse extends Problem {
  override readonly name = 'NoResponse';
}

/** After 29 seconds API Gateway responds in place of a function. */
const TIMEOUT_MS = 30_000;

const json = v.pipe(v.string(), v.parseJson());

/**
 * Sends a request; a redirect is a response too.
 *
 * @param timeoutMs until the end of the body. Default: 30000
 * @throws NoResponse
 */
export async function call(
  url: string,
  init: RequestInit = {},
  timeoutMs = TIMEOUT_MS,
): Promise<HttpResponse> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, { redirect: 'manual', signal, ...init });
    const text = await response.text();
    const body = v.safeParse(json, text);
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: body.success ? body.output : undefined,
    };
  } catch (error) {
    throw new NoResponse(explain(error, new URL(url)));
  }
}

/** Node's codes: https://nodejs.org/api/errors.html; OpenSSL's: https://docs.openssl.org/master/man1/openssl-verification-options/ */
function explain(error: unknown, { hostname, host }: URL): string {
  const code = codeOf(error);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `the name ${hostname} is not known to DNS (${code}): look at the record of the custom domain and at the DNS of this machine`;
  if (code === 'ECONNREFUSED')
    return `nothing listens at ${host} (${code}): look at where the domain points to, or start the local run`;
  if (/TIMEOUT|TIMEDOUT/i.test(code))
    return `${host} does not answer in time (${code}): look at the network between here and there, and whether the domain points to the API`;
  if (/CERT|SSL|TLS|SIGNATURE|ISSUER|EPROTO/.test(code))
    return `TLS with ${host} fails (${code}): look at the certificate of the custom domain, its names and its end`;
  return `the connection to ${host} fails (${code})`;
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.name === 'TimeoutError') return 'TIMEOUT';
  const cause = error.cause ?? error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : error.name;
}
