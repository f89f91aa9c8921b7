/** Which URLs secrets and keys may travel to and from. */

const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** Whether a text is a URL that nobody can listen in on: https, or http on a loopback address, as in tests and local runs. */
export function isSecureUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol } = new URL(text);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(text));
}

/** Whether a URL is of this machine. */
export const isLoopback = (url: string): boolean => LOOPBACK.has(new URL(url).hostname);
