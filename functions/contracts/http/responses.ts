/**
 * What the `data` of responses holds, once: the functions are typed by these schemas, and docs/openapi.json is made of
 * them. No function loads them: nothing checks at run time what TypeScript has checked.
 */
import * as v from 'valibot';

const uuid = v.pipe(v.string(), v.uuid());
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const time = v.pipe(v.string(), v.isoTimestamp());
const sex = v.picklist([0, 1, 2]);

const token = {
  token: v.string(),
  token_type: v.literal('Bearer'),
  expires_in: count,
};

/** Of `POST /member/login`. */
export const loginResult = v.strictObject({
  user_id: uuid,
  username: v.string(),
  avatar: v.string(),
  sex,
  is_new: v.boolean(),
  ...token,
});

/** Of `POST /member/refresh`. */
export const refreshResult = v.strictObject({ user_id: uuid, ...token });

/** Of `POST /member/logout`. */
export const nothing = v.strictObject({});

/** Of every route that reads or changes the profile. */
export const memberProfile = v.strictObject({
  user_id: uuid,
  username: v.string(),
  sex,
  avatar: v.string(),
  phone: v.nullable(v.string()),
  created_at: time,
  last_login_at: time,
});

/** Of `DELETE /member/me`: at once, or after a grace period. */
export const deletionResult = v.union([
  v.strictObject({ erased: v.literal(true) }),
  v.strictObject({ closes_at: time }),
]);

/** Of `GET /whoami`: the authorizer's context, which is text. */
export const callerContext = v.strictObject({
  user_id: uuid,
  appid: v.string(),
  jti: v.string(),
  sid: v.optional(v.string()),
  auth_time: v.string(),
  expires_at: v.string(),
});

/** Of `GET /health`. */
export const health = v.strictObject({
  version: v.string(),
  key_age_seconds: v.pipe(v.number(), v.integer()),
});

/** OpenID Provider Metadata (OpenID Connect Discovery 1.0, section 3), as far as there is something to say. */
export const discoveryDocument = v.strictObject({
  issuer: v.pipe(v.string(), v.url()),
  jwks_uri: v.pipe(v.string(), v.url()),
  response_types_supported: v.array(v.string()),
  subject_types_supported: v.array(v.string()),
  id_token_signing_alg_values_supported: v.array(v.string()),
  claims_supported: v.array(v.string()),
});

/** RFC 7517. */
export const jwkSet = v.strictObject({
  keys: v.array(
    v.strictObject({
      kty: v.literal('RSA'),
      use: v.literal('sig'),
      alg: v.literal('RS256'),
      kid: v.string(),
      n: v.string(),
      e: v.string(),
    }),
  ),
});
