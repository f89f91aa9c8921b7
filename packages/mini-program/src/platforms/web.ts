/** Browsers and tests: `fetch`, a code from elsewhere, and a session that lasts as long as the page. */
import { LoginError } from '../login-error.ts';
import type { HttpAnswer, Method, Platform } from './platform.ts';

/** The part of `fetch` that the client uses. */
export type Fetch = (
  url: string,
  options: { method: Method; headers: Record<string, string>; body: string | null },
) => Promise<{
  readonly status: number;
  readonly headers: { forEach(visit: (value: string, name: string) => void): void };
  text(): Promise<string>;
}>;

/** A platform without WeChat. */
export function web(options: { readonly fetch: Fetch; readonly getCode: () => Promise<string> }): Platform {
  // Called bare, because a browser's fetch refuses to be a method of another object.
  const { fetch, getCode } = options;
  const stored: Record<string, string> = {};
  return {
    host: options,
    login: getCode,
    send: ({ method, url, header, body }) => ({
      answer: fetch(url, { method, headers: header, body: body || null }).then(readResponse, toNetworkError),
      abort: () => undefined,
    }),
    storage: {
      read: (key) => stored[key],
      write: (key, value) => {
        stored[key] = value;
      },
    },
    onShow: () => undefined,
  };
}

async function readResponse(response: Awaited<ReturnType<Fetch>>): Promise<HttpAnswer> {
  const header: Record<string, string> = {};
  response.headers.forEach((value, name) => {
    header[name] = value;
  });
  const text = await response.text().catch(toNetworkError);
  return { status: response.status, header, body: parseJson(text) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function toNetworkError(error: unknown): never {
  throw new LoginError('network', (error as Error).message);
}
