/**
 * The key ring: which key signs, which will sign next and is public already, and which only still verify.
 *
 * A verifier may keep a JWK Set for hours (API Gateway's own authorizer: two), so a key must be public long
 * before it signs and must stay public until the last token it signed has expired everywhere.
 */
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import * as v from 'valibot';
import { TOKEN_ALGORITHM } from './claims.ts';
import {
  type Jwks,
  jwksSchema,
  MAX_JWKS_BYTES,
  MAX_PUBLIC_KEYS,
  type PublicJwk,
  privateJwkSchema,
  publicJwkSchema,
} from './json-web-keys.ts';

/**
 * How long a retired key stays public beyond the lifetime of the last token it may have signed, in seconds:
 * two hours for the slowest known cache of a JWK Set, and a quarter for signers that still hold the old ring
 * and for clocks that differ.
 */
export const RETIRED_KEY_GRACE_SECONDS = 2 * 3600 + 15 * 60;

const unixSeconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const signingKeySchema = v.strictObject({
  kid: v.string(),
  private_jwk: privateJwkSchema,
  /** Unix seconds at which the public part entered the published set. */
  published_at: unixSeconds,
});

const keyRingSchema = v.strictObject({
  current: signingKeySchema,
  next: signingKeySchema,
  retired: v.array(
    v.strictObject({ kid: v.string(), public_jwk: publicJwkSchema, remove_after: unixSeconds }),
  ),
});

/** A private key of the ring with its `kid`. */
export type RingKey = v.InferOutput<typeof signingKeySchema>;

/** The value of the key ring's secret. Times are Unix seconds. */
export type KeyRing = v.InferOutput<typeof keyRingSchema>;

/** What {@link promote} decides by. */
export interface PromotionRules {
  readonly tokenLifetimeSeconds: number;
  /** How long `next` must have been public before it may sign. */
  readonly publicBeforeUseSeconds: number;
}

/** What {@link promote} did: the ring to use from now on, and why it did not rotate if it did not. */
export interface Promotion {
  readonly ring: KeyRing;
  readonly kept?: 'next_is_too_young' | 'too_many_keys';
}

/**
 * Reads the secret's text. A text without a `"current"` member is the placeholder a new secret is born with.
 *
 * @returns the ring, or `undefined` if none was created yet
 * @throws Error naming the wrong member and never a value: a damaged ring must not be taken for a missing one,
 *   or the next rotation would replace every key that valid tokens depend on
 */
export function parseKeyRing(text: string | undefined): KeyRing | undefined {
  if (text === undefined || !text.includes('"current"')) return undefined;
  const result = v.safeParse(keyRingSchema, parseJson(text));
  if (result.success) return result.output;
  throw new Error(`The key ring is damaged at ${v.getDotPath(result.issues[0]) ?? 'its top level'}`);
}

/** The parser's own error quotes the text, which holds private keys. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Makes the first ring; its current key signs at once, because no token or cached key set exists yet. */
export async function createKeyRing(now: number): Promise<KeyRing> {
  const [current, next] = await Promise.all([createRingKey(now), createRingKey(now)]);
  return { current, next, retired: [] };
}

/**
 * The ring after a rotation at `now` (Unix seconds): retired keys whose time is over are dropped, and `next`
 * starts to sign if it has been public long enough and the set stays within {@link MAX_PUBLIC_KEYS};
 * otherwise the keys stay as they are, so that rotating too often is harmless.
 */
export async function promote(ring: KeyRing, now: number, rules: PromotionRules): Promise<Promotion> {
  const retired = ring.retired.filter((key) => key.remove_after > now);
  if (now - ring.next.published_at < rules.publicBeforeUseSeconds)
    return { ring: { ...ring, retired }, kept: 'next_is_too_young' };
  if (retired.length + 3 > MAX_PUBLIC_KEYS) return { ring: { ...ring, retired }, kept: 'too_many_keys' };
  return {
    ring: {
      current: ring.next,
      next: await createRingKey(now),
      retired: [
        ...retired,
        {
          kid: ring.current.kid,
          public_jwk: publicJwk(ring.current),
          remove_after: now + rules.tokenLifetimeSeconds + RETIRED_KEY_GRACE_SECONDS,
        },
      ],
    },
  };
}

/**
 * The set to publish: current first, then next, then retired.
 *
 * @throws Error when the set breaks a verifier's limit
 */
export function publicJwks(ring: KeyRing): Jwks {
  const keys = [publicJwk(ring.current), publicJwk(ring.next), ...ring.retired.map((key) => key.public_jwk)];
  const jwks = v.safeParse(jwksSchema, { keys });
  if (!jwks.success || Buffer.byteLength(JSON.stringify(jwks.output)) > MAX_JWKS_BYTES)
    throw new Error('The JWK Set breaks its own limits');
  return jwks.output;
}

function publicJwk({ kid, private_jwk: { kty, n, e } }: RingKey): PublicJwk {
  return { kid, alg: TOKEN_ALGORITHM, use: 'sig', kty, n, e };
}

/** RSA-2048; its `kid` is the RFC 7638 thumbprint, which says nothing about dates and cannot collide. */
async function createRingKey(now: number): Promise<RingKey> {
  const { privateKey } = await generateKeyPair(TOKEN_ALGORITHM, { modulusLength: 2048, extractable: true });
  const private_jwk = v.parse(privateJwkSchema, await exportJWK(privateKey));
  return { kid: await calculateJwkThumbprint(private_jwk), private_jwk, published_at: now };
}
