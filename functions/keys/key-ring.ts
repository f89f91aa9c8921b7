/**
 * The key ring: which key signs, which will sign next and is public already, and which only still verify.
 *
 * A verifier may keep a JWK Set for hours (API Gateway's own authorizer: two), so a key must be public long
 * before it signs and must stay public until the last token it signed has expired everywhere.
 */
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import * as v from 'valibot';
import {
  KEY_PUBLIC_BEFORE_USE_SECONDS,
  MAX_RETIRED_KEYS_BEFORE_ROTATION,
  RETIRED_KEY_PUBLIC_SECONDS,
  ROTATION_MAX_SECONDS,
} from '../contracts/key-schedule.ts';
import { jsonText, unixTime } from '../contracts/schemas.ts';
import { TOKEN_ALGORITHM } from '../contracts/token.ts';
import {
  type Jwks,
  jwksSchema,
  MAX_JWKS_BYTES,
  type PublicJwk,
  privateJwkSchema,
  publicJwkSchema,
} from './json-web-keys.ts';

const signingKeySchema = v.strictObject({
  kid: v.string(),
  private_jwk: privateJwkSchema,
  /** Unix seconds at which the public part entered the published set. */
  published_at: unixTime,
});

const keyRingSchema = v.strictObject({
  current: signingKeySchema,
  next: signingKeySchema,
  retired: v.array(v.strictObject({ kid: v.string(), public_jwk: publicJwkSchema, remove_after: unixTime })),
});

/** The text of the secret. */
const storedSchema = v.pipe(jsonText, keyRingSchema);

/** An RSA private key as a JWK. */
type PrivateJwk = v.InferOutput<typeof privateJwkSchema>;

/** Makes a private key; tests hand out keys that they have made before. */
export type CreateKey = () => Promise<PrivateJwk>;

/** A private key of the ring with its `kid`. */
export type RingKey = v.InferOutput<typeof signingKeySchema>;

/** The value of the key ring's secret. Times are Unix seconds. */
export type KeyRing = v.InferOutput<typeof keyRingSchema>;

/** What {@link promote} did: the ring to use from now on, and why it did not rotate if it did not. */
interface Promotion {
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
  const result = v.safeParse(storedSchema, text);
  if (result.success) return result.output;
  throw new Error(`The key ring is damaged at ${v.getDotPath(result.issues[0]) ?? 'its top level'}`);
}

/** Makes the first ring; its current key signs at once, because no token or cached key set exists yet. */
export async function createKeyRing(now: number, createKey?: CreateKey): Promise<KeyRing> {
  const [current, next] = await Promise.all([createRingKey(now, createKey), createRingKey(now, createKey)]);
  return { current, next, retired: [] };
}

/**
 * The ring after a rotation at `now` (Unix seconds): retired keys whose time is over are dropped, and `next`
 * starts to sign if it has been public long enough and the set stays within what verifiers read;
 * otherwise the keys stay as they are, so that rotating too often is harmless.
 */
export async function promote(ring: KeyRing, now: number, createKey?: CreateKey): Promise<Promotion> {
  const retired = ring.retired.filter((key) => key.remove_after > now);
  if (now - ring.next.published_at < KEY_PUBLIC_BEFORE_USE_SECONDS)
    return { ring: { ...ring, retired }, kept: 'next_is_too_young' };
  if (retired.length > MAX_RETIRED_KEYS_BEFORE_ROTATION)
    return { ring: { ...ring, retired }, kept: 'too_many_keys' };
  return {
    ring: {
      current: ring.next,
      next: await createRingKey(now, createKey),
      retired: [
        ...retired,
        {
          kid: ring.current.kid,
          public_jwk: publicJwk(ring.current),
          remove_after: now + RETIRED_KEY_PUBLIC_SECONDS,
        },
      ],
    },
  };
}

/** The ring without retired keys of these ids: what may be published of it. */
export function withoutRetired(ring: KeyRing, kids: ReadonlySet<string>): KeyRing {
  return { ...ring, retired: ring.retired.filter(({ kid }) => !kids.has(kid)) };
}

/** Whether a key of these ids signs, or will. */
export function usesKey(ring: KeyRing, kids: ReadonlySet<string>): boolean {
  return kids.has(ring.current.kid) || kids.has(ring.next.kid);
}

/**
 * Whether a ring was made too long ago to take over from the one that still signs, at `now` (Unix seconds): the key
 * it retires has signed on, and would be removed before the last of its tokens expires.
 */
export function retiresTooEarly(pending: KeyRing, signing: KeyRing, now: number): boolean {
  const retired = pending.retired.find(({ kid }) => kid === signing.current.kid);
  return (
    retired !== undefined && retired.remove_after - RETIRED_KEY_PUBLIC_SECONDS + ROTATION_MAX_SECONDS < now
  );
}

/**
 * The ring without any key of these ids, at `now` (Unix seconds). A dropped key's place is taken by `next` if that
 * stays, because it is public already; by a new key otherwise, which verifiers meet for the first time.
 */
export async function dropKeys(
  ring: KeyRing,
  now: number,
  kids: ReadonlySet<string>,
  createKey?: CreateKey,
): Promise<KeyRing> {
  const { retired } = withoutRetired(ring, kids);
  const [current, next] = [ring.current, ring.next].filter(({ kid }) => !kids.has(kid));
  return {
    current: current ?? (await createRingKey(now, createKey)),
    next: next ?? (await createRingKey(now, createKey)),
    retired,
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

/** RSA-2048. */
export async function createPrivateJwk(): Promise<PrivateJwk> {
  const { privateKey } = await generateKeyPair(TOKEN_ALGORITHM, { modulusLength: 2048, extractable: true });
  return v.parse(privateJwkSchema, await exportJWK(privateKey));
}

/** Its `kid` is the RFC 7638 thumbprint, which says nothing about dates and cannot collide. */
async function createRingKey(now: number, createKey: CreateKey = createPrivateJwk): Promise<RingKey> {
  const private_jwk = await createKey();
  return { kid: await calculateJwkThumbprint(private_jwk), private_jwk, published_at: now };
}
