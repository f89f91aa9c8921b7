/** The issuer's JWK Set as any other verifier gets it: one bounded GET of a public URL. */
import { get, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import * as v from 'valibot';
import { DomainError } from '../errors/domain-error.ts';
import { createSocketOpener } from '../network/open-socket.ts';
import { type Jwks, knownJwkSchema, MAX_JWKS_BYTES } from './json-web-keys.ts';

/**
 * For the whole read, in milliseconds: four round trips of 600 ms (TCP, two of TLS 1.2, the response) and two dead
 * addresses before them, and still below the five seconds of an authorizer.
 */
const TIMEOUT_MS = 3_000;

const jwkListSchema = v.object({ keys: v.array(v.unknown()) });

/**
 * Reads the set. Keys of another sort, and weak ones, are left out, so that the issuer can publish them before every
 * verifier has learnt about them (RFC 7517, 5).
 *
 * @throws DomainError `unavailable` when no set comes back: no connection, time-out after 3 s, a status other than
 *   200, a redirect among them, more than 150,000 bytes, or something else than a JWK Set
 */
export async function loadJwksFromUrl(url: string): Promise<Jwks> {
  const text = await read(new URL(url));
  try {
    const { keys } = v.parse(jwkListSchema, JSON.parse(text));
    return {
      keys: keys.flatMap((key) => {
        const known = v.safeParse(knownJwkSchema, key);
        return known.success ? [known.output] : [];
      }),
    };
  } catch {
    // Not as a cause: a parser quotes what it could not read.
    throw trouble('not a JWK Set');
  }
}

async function read(url: URL): Promise<string> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const socket = await createSocketOpener(url)(signal);
    const response = await request(url, socket, signal);
    if (response.statusCode !== 200) {
      response.destroy();
      throw trouble(`status ${response.statusCode}`);
    }
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response) {
      size += chunk.length;
      if (size > MAX_JWKS_BYTES) throw trouble('too large');
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString();
  } catch (error) {
    if (error instanceof DomainError) throw error;
    throw trouble(signal.aborted ? 'no response in time' : 'no response');
  }
}

/** The keys are trusted for where they come from: a redirect is followed nowhere. */
function request(
  { host, pathname, search }: URL,
  socket: Socket,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const headers = { host, accept: 'application/json', 'accept-encoding': 'identity' };
  return new Promise((resolve, reject) => {
    get({ createConnection: () => socket, path: pathname + search, headers, signal }, resolve).on(
      'error',
      reject,
    );
  });
}

function trouble(what: string): DomainError {
  return new DomainError('unavailable', { reason: `the issuer's JWK Set: ${what}` });
}
