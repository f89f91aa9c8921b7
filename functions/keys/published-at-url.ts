/** The issuer's JWK Set as any other verifier gets it: one bounded GET of a public URL. */
import * as v from 'valibot';
import { DomainError } from '../errors/domain-error.ts';
import { type Jwks, MAX_JWKS_BYTES, publicJwkSchema } from './json-web-keys.ts';

/** API Gateway's own verifier waits as long, in milliseconds. */
const TIMEOUT_MS = 1_500;

const jwkListSchema = v.object({ keys: v.array(v.unknown()) });

/** Members that are not ours are left out: RFC 7517 (4) wants unknown ones ignored. */
const knownMembersSchema = v.object(publicJwkSchema.entries);

/**
 * Reads the set. Keys of another sort are left out, so that the issuer can publish them before every verifier has
 * learnt about them (RFC 7517, 5).
 *
 * @throws DomainError `unavailable` when no set comes back: no connection, time-out after 1.5 s, a redirect, a status
 *   other than 200, more than 150,000 bytes, or something else than a JWK Set
 */
export async function loadJwksFromUrl(url: string): Promise<Jwks> {
  const text = await get(url);
  try {
    const { keys } = v.parse(jwkListSchema, JSON.parse(text));
    return {
      keys: keys.flatMap((key) => {
        const known = v.safeParse(knownMembersSchema, key);
        return known.success ? [known.output] : [];
      }),
    };
  } catch {
    // Not as a cause: a parser quotes what it could not read.
    throw trouble('not a JWK Set');
  }
}

async function get(url: string): Promise<string> {
  try {
    const response = await fetch(url, {
      // The keys are trusted for where they come from, so the address is followed nowhere else.
      redirect: 'error',
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw trouble(`status ${response.status}`);
    }
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      if (size > MAX_JWKS_BYTES) throw trouble('too large');
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString();
  } catch (error) {
    if (error instanceof DomainError) throw error;
    throw trouble(
      error instanceof Error && error.name === 'TimeoutError' ? 'no answer in time' : 'no answer',
    );
  }
}

function trouble(what: string): DomainError {
  return new DomainError('unavailable', { reason: `the issuer's JWK Set: ${what}` });
}
