/** What goes back to the client, whoever made it: an integration or the gateway itself. */

/** One header line. */
export type HeaderLine = readonly [name: string, value: string];

/** A response; a header may stand in it more than once. */
export interface ApiResponse {
  readonly status: number;
  readonly headers: readonly HeaderLine[];
  readonly body: string | Buffer;
}

/** The headers, preceded by those defaults they do not set themselves. */
export function withDefaults(
  headers: readonly HeaderLine[],
  ...defaults: readonly HeaderLine[]
): readonly HeaderLine[] {
  const set = new Set(headers.map(([name]) => name.toLowerCase()));
  return [...defaults.filter(([name]) => !set.has(name.toLowerCase())), ...headers];
}
