/** What a token says, once: minting, verification, the authorizer's context and discovery read it from here. */

/** The only signature algorithm: API Gateway's JWT authorizer and ALB accept nothing but RSA. */
export const TOKEN_ALGORITHM = 'RS256';

/** RFC 9068 media type in the `typ` header, so that no other JWT of the issuer passes for an access token. */
export const TOKEN_TYPE = 'at+jwt';

/** Where the public keys are, below the issuer's URL. */
export const JWKS_PATH = '/.well-known/jwks.json';

/** Seven days, in seconds. */
export const TOKEN_LIFETIME_SECONDS = 7 * 24 * 3600;

/** Thirty days, in seconds: how long after a login its tokens can be exchanged for new ones. */
export const REFRESHABLE_SECONDS = 30 * 24 * 3600;

/** Longest token text that is looked at, in characters; ours are about 800. */
export const MAX_TOKEN_LENGTH = 4096;

/** Clock difference between issuer and verifier that is forgiven, in seconds. */
export const CLOCK_TOLERANCE_SECONDS = 5;

/** A token that was verified, in our words. Times are Unix seconds. */
export interface VerifiedToken {
  readonly userId: string;
  readonly appid: string;
  readonly jti: string;
  readonly authTime: number;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** What an authorizer tells the back end: flat strings, the same keys in every API type. */
export interface AuthorizerContext {
  readonly user_id: string;
  readonly appid: string;
  readonly jti: string;
  /** Unix seconds. */
  readonly auth_time: string;
  /** Unix seconds. */
  readonly expires_at: string;
}
