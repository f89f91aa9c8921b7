/** The public keys of our tokens as the world sees them: the JWK Set, its limits, and its schema. */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { MAX_PUBLIC_KEYS } from '../contracts/key-schedule.ts';
import { TOKEN_ALGORITHM } from '../contracts/token.ts';

/** API Gateway's and ALB's verifiers refuse a longer JWK Set; in bytes. */
export const MAX_JWKS_BYTES = 150_000;

const base64url = v.pipe(v.string(), v.regex(/^[\w-]+$/, 'is not base64url'));

/** 2,048 bits, in bytes: RFC 7518 (3.3) allows no shorter key for RS256. */
const MIN_MODULUS_BYTES = 256;

/**
 * A modulus that may be the product of two large primes: long enough, its first bit set and its last, and spelt in one
 * way only. What is shorter, or even, can be factored by whoever has put it into the set.
 */
const modulus = v.pipe(
  base64url,
  v.check((text) => {
    const bytes = Buffer.from(text, 'base64url');
    const isLong = bytes.length >= MIN_MODULUS_BYTES && (bytes[0] ?? 0) >= 0x80;
    return isLong && (bytes.at(-1) ?? 0) % 2 === 1 && bytes.toString('base64url') === text;
  }, 'is no modulus of RSA-2048 or more'),
);

/** What an RSA key says about itself. */
const rsaMembers = {
  kty: v.literal('RSA'),
  n: modulus,
  // 65537. With 1 everything is its own signature.
  e: v.literal('AQAB'),
};

/** Every member that some verifier insists on (RFC 7517). */
const publicJwkMembers = {
  kid: base64url,
  alg: v.literal(TOKEN_ALGORITHM),
  use: v.literal('sig'),
  ...rsaMembers,
};

/** Whether the kid is the thumbprint of RFC 7638: otherwise it could be given to another key than the one it was made for. */
const hasItsOwnKid = ({ kid, e, kty, n }: Readonly<Record<'kid' | 'e' | 'kty' | 'n', string>>): boolean =>
  kid === createHash('sha256').update(JSON.stringify({ e, kty, n })).digest('base64url');

/** An RSA public key. Strict: a private member is refused. */
export const publicJwkSchema = v.pipe(
  v.strictObject(publicJwkMembers),
  v.check((key) => hasItsOwnKid(key)),
);

/** The same with other members left out: RFC 7517 (4) wants unknown ones ignored. */
export const knownJwkSchema = v.pipe(
  v.object(publicJwkMembers),
  v.check((key) => hasItsOwnKid(key)),
);

/** The JWK Set we publish. */
export const jwksSchema = v.strictObject({
  keys: v.pipe(v.array(publicJwkSchema), v.minLength(1), v.maxLength(MAX_PUBLIC_KEYS)),
});

/** An RSA private key as a JWK: what only signers may see. */
export const privateJwkSchema = v.strictObject({
  ...rsaMembers,
  d: base64url,
  p: base64url,
  q: base64url,
  dp: base64url,
  dq: base64url,
  qi: base64url,
});

/** One public key of the set. */
export type PublicJwk = v.InferOutput<typeof publicJwkSchema>;

/** The public JWK Set. */
export type Jwks = v.InferOutput<typeof jwksSchema>;
