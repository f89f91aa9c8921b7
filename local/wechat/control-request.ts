/** The bodies of requests that control the simulator. */
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

export async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const body: unknown = JSON.parse((await text(request)) || '{}');
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new SyntaxError('send a JSON object');
  return { ...body };
}

type MemberType = 'string' | 'number' | 'boolean';

/** Takes the known members of a control request and refuses the rest, so that a typo in a test is seen. */
export function readMembers(
  body: Record<string, unknown>,
  types: Readonly<Record<string, MemberType>>,
): object {
  for (const [name, value] of Object.entries(body)) {
    const type = types[name];
    if (type === undefined) throw new Error(`${name} is not known; known: ${Object.keys(types).join(', ')}`);
    if (typeof value !== type) throw new Error(`${name} must be a ${type}`);
  }
  return body;
}
