/** What travelled: one request with its response, and the line that sends it again from a shell. */
import type { Fetch } from 'wechat-login-client';

export interface Exchange {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly status: number;
  readonly responseHeaders: Readonly<Record<string, string>>;
  readonly responseBody: string;
}

/** A fetch that shows what it sent and got; the client uses it as any other. */
export function recording(show: (exchange: Exchange) => void): Fetch {
  return async (url, options) => {
    const response = await fetch(url, options);
    const responseBody = await response.text();
    const responseHeaders = Object.fromEntries(response.headers);
    show({ ...options, url, status: response.status, responseHeaders, responseBody });
    return { status: response.status, headers: response.headers, text: async () => responseBody };
  };
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

export function curlLine({ method, url, headers, body }: Exchange): string {
  return [
    `curl -si -X ${method} ${quoted(url)}`,
    ...Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    ...(body === null ? [] : [`-d ${quoted(body)}`]),
  ].join(' ');
}

/** The token that an exchange is about: the one that came, else the one that was sent. */
export function tokenIn({ headers, responseBody }: Exchange): string | undefined {
  const came = /"token":"([\w.-]+)"/.exec(responseBody)?.[1];
  return came ?? /^Bearer (.+)/.exec(headers.authorization ?? '')?.[1];
}

/** Indented where it is JSON. */
export function readable(text: string | null): string {
  try {
    return JSON.stringify(JSON.parse(text ?? ''), undefined, 2);
  } catch {
    return text ?? '';
  }
}
