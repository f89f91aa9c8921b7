/** How a method that API Gateway responds to by itself is told its headers, and which bodies it takes. */

/** Media types a client may name: such a method takes each only with a template of its own, and refuses others with 415. */
const anyMediaType = [
  'application/json',
  'application/x-www-form-urlencoded',
  'application/octet-stream',
  'application/xml',
  'multipart/form-data',
  'text/html',
  'text/plain',
  'text/xml',
];

/** The same request template whatever the client says it sends. */
export const forAnyMediaType = (template: string): Record<string, string> =>
  Object.fromEntries(anyMediaType.map((type) => [type, template]));

/** Headers as parameters of an integration's response. */
export const inMethodResponse = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [`method.response.header.${name}`, `'${value}'`]),
  );

/** The same parameters as the method has to declare them. */
export const declared = (parameters: Readonly<Record<string, string>>): Record<string, true> =>
  Object.fromEntries(Object.keys(parameters).map((name) => [name, true] as const));
