/**
 * Verifies a token, stricter than the standard asks where a looser reading buys nothing: one algorithm, one
 * spelling of each token, every claim we mint present. Follows RFC 8725 and RFC 9068.
 */
import { type CryptoKey, errors, jwtVerify } from 'jose';
import * as v from 'valibot';
import type { Clock } from '../contracts/clock.ts';
import type { RefusalReason } from '../contracts/metrics.ts';
import { jsonText, nonEmptyText, unixTime } from '../contracts/schemas.ts';
import {
  CLOCK_TOLERANCE_SECONDS,
  MAX_TOKEN_LENGTH,
  MAX_TOKEN_LIFETIME_SECONDS,
  TOKEN_ALGORITHM,
  TOKEN_TYPE,
  type VerifiedToken,
} from '../contracts/token.ts';
import { TokenRefusal } from './refusal.ts';

/** Where a verifier finds its keys. */
export interface KeySource {
  /**
   * The key of this id, or `undefined` if there is none.
   *
   * @throws DomainError `unavailable` while the keys cannot be read or are too old
   */
  find(kid: string): Promise<CryptoKey | undefined>;
}

export interface TokenVerifier {
  /**
   * @throws TokenRefusal when anything is wrong with the token
   * @throws DomainError `unavailable` when the keys cannot be read or are too old: that says nothing about the token
   */
  verify(token: string): Promise<VerifiedToken>;
}

interface TokenVerifierOptions {
  readonly keys: KeySource;
  readonly issuer: string;
  readonly audience: string;
  /** Longest `exp - iat` that is believed, in seconds. Default: {@link MAX_TOKEN_LIFETIME_SECONDS}. */
  readonly maxLifetimeSeconds?: number;
  readonly now: Clock;
}

/** Header members that bring or point to a key, or change what is signed: the token does not choose those. */
const FORBIDDEN_HEADER_MEMBERS = ['jwk', 'jku', 'x5u', 'x5c', 'crit'];

/** What jose leaves unchecked: that every claim is there, `exp` included, and of its type. */
const claimsSchema = v.object({
  sub: nonEmptyText,
  client_id: nonEmptyText,
  jti: nonEmptyText,
  sid: v.optional(nonEmptyText),
  auth_time: unixTime,
  iat: unixTime,
  exp: unixTime,
});

export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { keys, issuer, audience, maxLifetimeSeconds = MAX_TOKEN_LIFETIME_SECONDS, now } = options;
  const readHeader = createHeaderReader();
  return {
    async verify(token) {
      const { header, claims: unverified } = decode(token, readHeader);
      if (!isPlainObject(header) || FORBIDDEN_HEADER_MEMBERS.some((name) => Object.hasOwn(header, name)))
        throw new TokenRefusal('bad_header');
      if (!isPlainObject(unverified)) throw new TokenRefusal('bad_claims');
      const { payload } = await jwtVerify(
        token,
        async ({ kid }) => {
          // Without this a key would be guessed when the set has only one.
          if (typeof kid !== 'string') throw new TokenRefusal('bad_header');
          const key = await keys.find(kid);
          if (key === undefined) throw new TokenRefusal('unknown_key');
          return key;
        },
        {
          algorithms: [TOKEN_ALGORITHM],
          typ: TOKEN_TYPE,
          issuer,
          audience,
          clockTolerance: CLOCK_TOLERANCE_SECONDS,
          currentDate: new Date(now()),
          maxTokenAge: maxLifetimeSeconds,
        },
      ).catch((error: unknown) => {
        // Not as a cause: jose's errors carry the claims.
        throw error instanceof errors.JOSEError ? new TokenRefusal(reasonOf(error)) : error;
      });
      const claims = v.safeParse(claimsSchema, payload);
      if (!claims.success) throw new TokenRefusal('bad_claims');
      const { sub, client_id, jti, sid, auth_time, iat, exp } = claims.output;
      // A login of the future would outlive every revocation until then.
      if (exp - iat > maxLifetimeSeconds || auth_time > iat) throw new TokenRefusal('bad_claims');
      return {
        userId: sub,
        appid: client_id,
        jti,
        ...(sid !== undefined && { sid }),
        authTime: auth_time,
        issuedAt: iat,
        expiresAt: exp,
      };
    },
  };
}

/**
 * Refuses a token that nobody signed, so that the first one finds jose and OpenSSL ready.
 *
 * @param kid a key's, whose signature this is not
 */
export async function rehearseVerifying(verifier: TokenVerifier, kid: string): Promise<void> {
  const [header, claims] = [{ alg: TOKEN_ALGORITHM, kid, typ: TOKEN_TYPE }, {}].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  // As long as RSA-2048's.
  const signature = Buffer.alloc(256).toString('base64url');
  await verifier.verify(`${header}.${claims}.${signature}`).catch(() => {});
}

/** Reads a token's header; all tokens of a key have the same, so the last one is kept. */
function createHeaderReader(): (part: string) => unknown {
  let last: { readonly part: string; readonly header: unknown } | undefined;
  return (part) => {
    if (part !== last?.part) last = { part, header: decodeJson(part) };
    return last.header;
  };
}

/** Takes the compact serialization apart, accepting each token in exactly one spelling. */
function decode(token: string, readHeader: (part: string) => unknown): { header: unknown; claims: unknown } {
  if (token === '') throw new TokenRefusal('missing_token');
  if (token.length > MAX_TOKEN_LENGTH) throw new TokenRefusal('malformed');
  const [header, claims, signature, ...rest] = token.split('.');
  if (header === undefined || claims === undefined || signature === undefined || rest.length > 0)
    throw new TokenRefusal('malformed');
  decodeBase64url(signature);
  return { header: readHeader(header), claims: decodeJson(claims) };
}

/** Padding, whitespace, other alphabets and stray bits at the end decode as well, but encode differently. */
function decodeBase64url(part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url');
  if (bytes.length === 0 || bytes.toString('base64url') !== part) throw new TokenRefusal('malformed');
  return bytes;
}

/**
 * Our tokens hold JSON as `JSON.stringify` writes it. Text that comes back different had a member twice
 * (parsers disagree on which counts), whitespace, or another spelling of a number or a string.
 */
function decodeJson(part: string): unknown {
  const json = decodeBase64url(part).toString();
  const read = v.safeParse(jsonText, json);
  if (!read.success || JSON.stringify(read.output) !== json) throw new TokenRefusal('malformed');
  return read.output;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function reasonOf(error: errors.JOSEError): RefusalReason {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'wrong_algorithm';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'bad_signature';
  if (!(error instanceof errors.JWTClaimValidationFailed)) return 'malformed';
  if (error.reason !== 'check_failed') return 'bad_claims';
  switch (error.claim) {
    case 'iss':
      return 'wrong_issuer';
    case 'aud':
      return 'wrong_audience';
    case 'typ':
      return 'wrong_type';
    case 'iat':
    case 'nbf':
      return 'not_yet_valid';
    default:
      return 'bad_claims';
  }
}
