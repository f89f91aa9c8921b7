/** The public keys of our tokens as the world sees them: the JWK Set, its limits, and its schema. */
import * as v from 'valibot';
import { MAX_PUBLIC_KEYS } from '../contracts/key-schedule.ts';
import { TOKEN_ALGORITHM } from '../contracts/token.ts';

/** API Gateway's and ALB's verifiers refuse a longer JWK Set; in bytes. */
export const MAX_JWKS_BYTES = 150_000;

const base64url = v.pipe(v.string(), v.regex(/^[\w-]+$/, 'is not base64url'));

/** An RSA public key, with every member that some verifier insists on (RFC 7517). Strict: a private member is refused. */
export const publicJwkSchema = v.strictObject({
  kid: base64url,
  alg: v.literal(TOKEN_ALGORITHM),
  use: v.literal('sig'),
  kty: v.literal('RSA'),
  n: base64url,
  e: base64url,
});

/** The JWK Set we publish. */
export const jwksSchema = v.strictObject({
  keys: v.pipe(v.array(publicJwkSchema), v.minLength(1), v.maxLength(MAX_PUBLIC_KEYS)),
});

/** An RSA private key as a JWK: what only signers may see. */
export const privateJwkSchema = v.strictObject({
  kty: v.literal('RSA'),
  n: base64url,
  e: base64url,
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
