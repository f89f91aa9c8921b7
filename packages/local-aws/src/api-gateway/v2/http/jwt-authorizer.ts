/** The JWT authorizer of HTTP APIs: API Gateway verifies a token by itself. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html */

import { errors, importJWK, type JWTPayload, jwtVerify } from 'jose';
import { LocalRunError } from '../../../errors.ts';
import { isJsonObject, type Json, list, objectOrEmpty } from '../../../json.ts';
import { refuseUnknown } from '../../../template/properties.ts';
import { compileIdentitySources } from '../../authorizers/identity-source.ts';
import { Refusal } from '../../refusal.ts';
import type { AuthorizerV2 } from '../template.ts';
import type { HttpAuthorizer } from './authorizer.ts';
import { createIssuerKeys, discoverKeys, type IssuerKeys } from './issuer-keys.ts';

const known = { emulated: 'ApiId AuthorizerType IdentitySource JwtConfiguration', ignored: 'Name' };

const RSA_ALGORITHMS = ['RS256', 'RS384', 'RS512'];

/** Its message goes to the client as `error_description`: the rule, never what the token holds. */
class TokenRefused extends Error {}

/**
 * Reads an authorizer of type JWT.
 *
 * @throws LocalRunError naming the property that is unknown or cannot be deployed
 */
export function compileJwtAuthorizer({ resource }: AuthorizerV2): HttpAuthorizer {
  const { logicalId, properties } = resource;
  refuseUnknown(logicalId, properties, known);
  const configuration = objectOrEmpty(properties.JwtConfiguration);
  refuseUnknown(`${logicalId}.JwtConfiguration`, configuration, { emulated: 'Audience Issuer' });
  const audiences = list(configuration.Audience).map(String);
  if (audiences.length === 0 || typeof configuration.Issuer !== 'string')
    throw new LocalRunError(`${logicalId}.JwtConfiguration: a JWT authorizer has an Issuer and an Audience.`);
  const issuer = configuration.Issuer;
  const sources = list(properties.IdentitySource).map(String);
  if (sources.length !== 1)
    throw new LocalRunError(`${logicalId}.IdentitySource: a JWT authorizer has exactly one identity source.`);
  const identityOf = compileIdentitySources('HTTP', sources, `${logicalId}.IdentitySource`, 0);
  const keys = createIssuerKeys(issuer);

  return async (call) => {
    try {
      const [sent = ''] = identityOf(call);
      const claims = await verify(sent.replace(/^bearer /i, ''), issuer, audiences, keys);
      const entries = Object.entries(claims).map(
        ([name, value]) => [name, claimText(value as Json)] as const,
      );
      return { kind: 'jwt', claims: Object.fromEntries(entries) };
    } catch (error) {
      const challenge =
        error instanceof Refusal
          ? 'Bearer'
          : `Bearer scope="" error="invalid_token" error_description="${describe(error)}"`;
      throw new Refusal('UNAUTHORIZED', 'Unauthorized', { headers: [['www-authenticate', challenge]] });
    }
  };
}

/**
 * Reads the issuer's discovery document, as API Gateway does when it makes an authorizer of type JWT.
 *
 * @throws LocalRunError when it cannot be read
 */
export async function createJwtAuthorizer({ resource }: AuthorizerV2): Promise<void> {
  const { Issuer } = objectOrEmpty(resource.properties.JwtConfiguration);
  try {
    await discoverKeys(String(Issuer));
  } catch (cause) {
    throw new LocalRunError(
      `${resource.logicalId}: the discovery document of the issuer ${Issuer} cannot be read, without which API Gateway makes no JWT authorizer.`,
      { cause },
    );
  }
}

/** Checks what API Gateway documents and no more: not `typ`, and no other claims. */
async function verify(
  token: string,
  issuer: string,
  audiences: readonly string[],
  keys: IssuerKeys,
): Promise<JWTPayload> {
  const { payload } = await jwtVerify(
    token,
    async ({ kid, alg }) => {
      const key = kid === undefined ? undefined : await findKey(keys, kid);
      if (key === undefined) throw new TokenRefused('no key of the issuer has the kid of the token');
      return importJWK(key, alg);
    },
    { algorithms: RSA_ALGORITHMS, issuer, requiredClaims: ['exp'] },
  );
  const now = Date.now() / 1000;
  if (payload.iat !== undefined && payload.iat > now)
    throw new TokenRefused('the token is used before it was issued');
  const named = payload.aud ?? payload.client_id;
  if (![named].flat().some((value) => typeof value === 'string' && audiences.includes(value)))
    throw new TokenRefused('the token does not have a valid audience');
  return payload;
}

async function findKey(keys: IssuerKeys, kid: string) {
  try {
    return await keys(kid);
  } catch (cause) {
    throw new TokenRefused('OIDC discovery endpoint communication error', { cause });
  }
}

function describe(error: unknown): string {
  if (error instanceof TokenRefused) return error.message;
  if (error instanceof errors.JWTExpired) return 'the token has expired';
  if (error instanceof errors.JWTClaimValidationFailed) return `the claim ${error.claim} is not valid`;
  return 'the token is not valid';
}

/** Every claim arrives as text; lists are written `[a b]`, as API Gateway prints them. */
function claimText(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((item: Json) => claimText(item)).join(' ')}]`;
  if (isJsonObject(value))
    return `map[${Object.entries(value)
      .map(([name, item]) => `${name}:${claimText(item)}`)
      .join(' ')}]`;
  return String(value);
}
