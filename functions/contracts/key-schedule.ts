/**
 * How long a signing key lives in which role, once: the rotation keeps these times, signers and verifiers follow
 * within them, and the stage settings are checked against them.
 */
import { MAX_TOKEN_LIFETIME_SECONDS } from './token.ts';

/**
 * Longest that a known verifier keeps a JWK Set without looking again, in seconds: API Gateway's own authorizer.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
 */
export const VERIFIER_CACHE_SECONDS = 2 * 3600;

/**
 * How long a key must have been public before it may sign, in seconds: several times {@link VERIFIER_CACHE_SECONDS},
 * and at most half of the shortest rotation period, so that a rotation that starts a little early still rotates.
 */
export const KEY_PUBLIC_BEFORE_USE_SECONDS = 12 * 3600;

/** Age from which a signer looks for a new key ring before it signs, in seconds; bounds an emergency rotation. */
export const SIGNER_REFRESH_SECONDS = 30;

/** Oldest key ring that a signer uses while it cannot read a newer one, in seconds. */
export const SIGNER_MAX_AGE_SECONDS = 15 * 60;

/**
 * Longest time between a rotation's first step and its last, in seconds: the first says when the key that signs is
 * removed, and that key goes on signing until the last.
 */
export const ROTATION_MAX_SECONDS = 3600;

/**
 * How long a key stays public after it was retired, in seconds: until the last token has expired that a signer with
 * an old ring may have signed, at every verifier.
 *
 * It counts with the longest lifetime a token can have and not with the stage's setting: were that shortened, tokens
 * from before would outlive their key.
 */
export const RETIRED_KEY_PUBLIC_SECONDS =
  MAX_TOKEN_LIFETIME_SECONDS + ROTATION_MAX_SECONDS + SIGNER_MAX_AGE_SECONDS + VERIFIER_CACHE_SECONDS;

/**
 * Age from which a key that signs should have been replaced, in seconds: it is made in one rotation, signs from the next,
 * and is retired in the one after that, which may be a day late and is then tried again.
 */
export const oldestSigningKeySeconds = (keyRotationDays: number): number =>
  (2 * keyRotationDays + 2) * 86_400;

/** ALB reads no more keys than this from a JWK Set. */
export const MAX_PUBLIC_KEYS = 10;

/** Retired keys that a rotation may find: it adds one to them, and the set holds two more. */
export const MAX_RETIRED_KEYS_BEFORE_ROTATION = MAX_PUBLIC_KEYS - 3;

/**
 * Prefix of a tag of the key ring's secret that names a key which must not be used or published any more: how an
 * operator tells the rotation about a compromised key. The rest of the tag's key is the `kid`.
 */
export const DROP_KEY_TAG = 'drop-key:';
