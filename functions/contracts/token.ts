/** What a token says, once: minting, verification, the authorizer's context and discovery read it from here. */

/** The only signature algorithm: API Gateway's JWT authorizer and ALB accept nothing but RSA. */
export const TOKEN_ALGORITHM = 'RS256';

/** RFC 9068 media type in the `typ` header, so that no other JWT of the issuer passes for an access token. */
export const TOKEN_TYPE = 'at+jwt';

/** Where the public keys are, below the issuer's URL. */
export const JWKS_PATH = '/.well-known/jwks.json';

/** Seven days, in seconds: the longest that a stage may let its tokens live, and the longest that verifiers believe. */
export const MAX_TOKEN_LIFETIME_SECONDS = 7 * 24 * 3600;

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
  /** The login, which refreshed tokens share; absent in tokens of before there were ids of logins. */
  readonly sid?: string;
  readonly authTime: number;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** Id of the login that a token belongs to: a token without a `sid` stands for itself, and those refreshed from it. */
export const loginIdOf = ({ sid, jti }: { readonly sid?: string; readonly jti: string }): string =>
  sid ?? jti;

/** What an authorizer tells the back end, by these names in every kind of API; both times are Unix seconds. */
export const contextKeys = ['user_id', 'appid', 'jti', 'auth_time', 'expires_at'] as const;

/** The authorizer's context: flat text, because not every kind of API passes on anything else. */
export type AuthorizerContext = Readonly<Record<(typeof contextKeys)[number], string>> & {
  /** Id of the login; absent for tokens without one. */
  readonly sid?: string;
};
