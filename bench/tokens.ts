/** Measures what a token costs: our minter and verifier beside jose alone and the bare signature. */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { type CryptoKey, jwtVerify, SignJWT } from 'jose';
import { TOKEN_ALGORITHM } from '../functions/contracts/token.ts';
import { createKeyRing, publicJwks } from '../functions/keys/key-ring.ts';
import { importSigningKey } from '../functions/keys/signing-key.ts';
import { createKeySource } from '../functions/keys/verification-keys.ts';
import { createTokenMinter } from '../functions/tokens/mint.ts';
import { createTokenVerifier, type TokenVerifier } from '../functions/tokens/verify.ts';
import { compare, type Measurement, measureInTurn, type Rounds } from './measurement.ts';

const issuer = 'https://login.example.com';
const audience = 'wechat-login';
/** Whom the measured tokens are for. */
export const tokenSubject = { userId: '3f0d2f0e-52d5-4c40-a6f4-0c3c0d0e2a11', appid: 'wx0123456789abcdef' };

/** A verifier with its keys at hand, and a token it accepts. */
export interface VerifierAndToken {
  readonly verifier: TokenVerifier;
  readonly token: string;
  /** The key alone, for jose without us. */
  readonly key: CryptoKey;
}

/** Makes a key ring, a token signed with it and the verifier for that. */
export async function createVerifierAndToken(): Promise<VerifierAndToken> {
  const { verifier, minter, key } = await createParts();
  return { verifier, token: (await minter.mint(tokenSubject)).token, key };
}

/** Measures; the floors are RSA signatures made and checked by `node:crypto`. */
export async function measureTokens(rounds: Rounds): Promise<readonly Measurement[]> {
  const { current, signingKey, minter, verifier, key } = await createParts();
  const { token } = await minter.mint(tokenSubject);
  const [header = '', claims = '', signature = ''] = token.split('.');
  const input = Buffer.from(`${header}.${claims}`);
  const signatureBytes = Buffer.from(signature, 'base64url');
  const payload = JSON.parse(Buffer.from(claims, 'base64url').toString());
  const protectedHeader = {
    alg: TOKEN_ALGORITHM,
    ...JSON.parse(Buffer.from(header, 'base64url').toString()),
  };
  const privateKey = createPrivateKey({ key: current.private_jwk, format: 'jwk' });
  const publicKey = createPublicKey(privateKey);

  const signing = await measureInTurn(
    [
      { row: 'node:crypto sign', run: () => sign('RSA-SHA256', input, privateKey) },
      {
        row: 'jose SignJWT',
        run: () => new SignJWT(payload).setProtectedHeader(protectedHeader).sign(signingKey.key),
      },
      { row: 'our minter', run: () => minter.mint(tokenSubject) },
    ],
    rounds,
  );
  const verifying = await measureInTurn(
    [
      { row: 'node:crypto verify', run: () => verify('RSA-SHA256', input, publicKey, signatureBytes) },
      { row: 'jose jwtVerify', run: () => jwtVerify(token, key) },
      { row: 'our verifier', run: () => verifier.verify(token) },
    ],
    rounds,
  );
  return [...compare('sign a token', signing), ...compare('verify a token', verifying)];
}

async function createParts() {
  const ring = await createKeyRing(Math.floor(Date.now() / 1000));
  const signingKey = await importSigningKey(ring.current);
  const minter = createTokenMinter({
    signingKey: async () => signingKey,
    issuer,
    audience,
    lifetimeSeconds: 3600,
    now: Date.now,
  });
  const keys = createKeySource({ load: async () => publicJwks(ring), now: Date.now });
  const key = await keys.find(signingKey.kid);
  if (key === undefined) throw new TypeError('the ring has its own key');
  return {
    current: ring.current,
    signingKey,
    minter,
    key,
    verifier: createTokenVerifier({ keys, issuer, audience, now: Date.now }),
  };
}
