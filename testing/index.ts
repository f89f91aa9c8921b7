/** A login service for the tests of other teams: mints tokens and publishes its keys, on this machine only. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { JWKS_PATH, MAX_TOKEN_LIFETIME_SECONDS, TOKEN_ALGORITHM } from '../functions/contracts/token.ts';
import { createTokenMinter } from '../functions/tokens/mint.ts';

/** Whose tokens the test issuer makes. */
export interface TestIssuerOptions {
  /** The tokens' `aud`. Default: `wechat-login`, as of the login service itself. */
  readonly audience?: string;
  /** The tokens' `iss`. Default: the address at which the issuer listens. */
  readonly issuer?: string;
}

/** Whose token it is, and how long it lasts. */
export interface TestTokenOptions {
  /** Default: `test-user`. */
  readonly userId?: string;
  /** Default: `wxtest`. */
  readonly appid?: string;
  /** Unix seconds of the login. Default: now. */
  readonly authTime?: number;
  /** Seconds from now until the token ends; negative for one that has ended. Default: seven days. */
  readonly expiresIn?: number;
  /** Default: the issuer's own. */
  readonly audience?: string;
}

/** A running issuer. */
export interface TestIssuer {
  /** The tokens' `iss`. */
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string;
  /** A token as the login service would give it. */
  token(options?: TestTokenOptions): Promise<string>;
  /** A token that looks as good and is signed with another key: nobody may accept it. */
  forgedToken(options?: TestTokenOptions): Promise<string>;
  /** Stops listening. */
  close(): Promise<void>;
}

/** Starts an issuer on a free loopback port that serves the discovery document and the JWK Set. */
export async function createTestIssuer(options: TestIssuerOptions = {}): Promise<TestIssuer> {
  const { audience = 'wechat-login' } = options;
  const [key, foreign] = await Promise.all([createKey(), createKey()]);
  const documents = new Map<string, unknown>([[JWKS_PATH, { keys: [key.publicJwk] }]]);
  const server = createServer((request, response) => {
    const document = documents.get(request.url ?? '');
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? { error: 'not_found' }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { issuer = url } = options;
  const jwksUrl = `${url}${JWKS_PATH}`;
  documents.set('/.well-known/openid-configuration', { issuer, jwks_uri: jwksUrl });

  const mint = async (signingKey: TestKey, token: TestTokenOptions): Promise<string> => {
    const {
      expiresIn = MAX_TOKEN_LIFETIME_SECONDS,
      userId = 'test-user',
      appid = 'wxtest',
      authTime,
    } = token;
    // A token that has ended was a good one a minute ago.
    const lifetimeSeconds = Math.max(expiresIn, 60);
    const minter = createTokenMinter({
      signingKey: async () => ({ kid: signingKey.publicJwk.kid, key: signingKey.privateKey, publishedAt: 0 }),
      issuer,
      audience: token.audience ?? audience,
      lifetimeSeconds,
      now: () => Date.now() - (lifetimeSeconds - expiresIn) * 1000,
    });
    return (await minter.mint({ userId, appid, ...(authTime !== undefined && { authTime }) })).token;
  };

  return {
    issuer,
    audience,
    jwksUrl,
    token: (token = {}) => mint(key, token),
    forgedToken: (token = {}) => mint({ ...foreign, publicJwk: key.publicJwk }, token),
    close: () => close(server),
  };
}

type TestKey = Awaited<ReturnType<typeof createKey>>;

async function createKey() {
  const { privateKey, publicKey } = await generateKeyPair(TOKEN_ALGORITHM);
  const { n = '', e = '' } = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint({ kty: 'RSA', n, e });
  return { privateKey, publicJwk: { kid, alg: TOKEN_ALGORITHM, use: 'sig', kty: 'RSA', n, e } };
}

async function close(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}
