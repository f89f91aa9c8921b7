/** Where a request goes, and whether the token may go along; without `URL`, which mini-programs lack. */

/**
 * Scheme, host and port of a URL whose authority is beyond doubt. What parsers read differently (credentials, a
 * backslash, spaces) has no origin here, so it gets no token.
 */
export function originOf(url: string): string | undefined {
  const match = /^https?:\/\/(?:[a-z0-9._-]+|\[[0-9a-f:]+\])(?::\d+)?(?=[/?#]|$)/i.exec(url);
  return match ? match[0].toLowerCase() : undefined;
}

/** The absolute URL: a relative one is appended to the base, whose path stays. */
export function resolveUrl(baseUrl: string, url: string): string {
  return /^[a-z][a-z0-9+.-]*:/i.test(url) ? url : `${baseUrl}/${url.replace(/^\//, '')}`;
}

/** Appends a query, without the members that are undefined. */
export function withQuery(url: string, query: object = {}): string {
  const values = query as Record<string, unknown>;
  const text = Object.keys(values)
    .filter((name) => values[name] !== undefined)
    .map((name) => `${encodeURIComponent(name)}=${encodeURIComponent(String(values[name]))}`)
    .join('&');
  return text ? url + (url.indexOf('?') < 0 ? '?' : '&') + text : url;
}
