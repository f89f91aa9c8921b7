/** An issuer's public keys, as API Gateway finds and caches them. */
import type { JWK } from 'jose';

/** Finds a key; undefined when the issuer has none of that id. @throws Error when its documents cannot be fetched */
export type IssuerKeys = (keyId: string) => Promise<JWK | undefined>;

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html: milliseconds for each document, bytes. */
const TIMEOUT_MS = 1_500;
const MAX_KEY_SET_BYTES = 150_000;

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html */
const CACHED_FOR_MS = 2 * 60 * 60 * 1000;

/**
 * The keys of an issuer. A fetched key set is cached for two hours, and an unknown key does not renew it: a token signed
 * with a younger key is refused here, as it may be in the cloud.
 *
 * @param issuer URL without a slash at the end
 */
export function createIssuerKeys(issuer: string): IssuerKeys {
  let held: { readonly keys: Promise<readonly JWK[]>; readonly until: number } | undefined;
  return async (keyId) => {
    if (held === undefined || held.until <= Date.now()) {
      const keys = fetchKeys(issuer);
      const fetched = { keys, until: Date.now() + CACHED_FOR_MS };
      held = fetched;
      keys.catch(() => {
        if (held === fetched) held = undefined;
      });
    }
    return (await held.keys).find(({ kid }) => kid === keyId);
  };
}

/** Where the issuer's keys are. @throws Error when its discovery document cannot be fetched */
export async function discoverKeys(issuer: string): Promise<string> {
  const { jwks_uri } = (await fetchJson(`${issuer}/.well-known/openid-configuration`)) as {
    jwks_uri?: unknown;
  };
  if (typeof jwks_uri !== 'string') throw new Error('the discovery document names no jwks_uri');
  return jwks_uri;
}

async function fetchKeys(issuer: string): Promise<readonly JWK[]> {
  const { keys } = (await fetchJson(await discoverKeys(issuer), MAX_KEY_SET_BYTES)) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Error('the JWK Set has no keys');
  return keys.filter((key): key is JWK => typeof key === 'object' && key !== null);
}

async function fetchJson(url: string, maxBytes = Number.POSITIVE_INFINITY): Promise<object> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  const body = Buffer.from(await response.arrayBuffer());
  if (response.status !== 200) throw new Error(`status ${response.status} from ${url}`);
  if (body.length > maxBytes) throw new Error(`${body.length} bytes from ${url}`);
  const document: unknown = JSON.parse(body.toString('utf8'));
  if (typeof document !== 'object' || document === null) throw new Error(`no JSON object from ${url}`);
  return document;
}
