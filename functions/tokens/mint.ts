/** Mints the access token (RFC 9068): who the user is, and nothing that WeChat wants kept secret. */
import { randomUUID } from 'node:crypto';
import { type CryptoKey, SignJWT } from 'jose';
import { type Clock, unixSeconds } from '../contracts/clock.ts';
import { TOKEN_ALGORITHM, TOKEN_TYPE } from '../contracts/token.ts';

/** The private key that signs now, and the name verifiers find its public part by. */
export interface SigningKey {
  readonly kid: string;
  readonly key: CryptoKey;
  /** Unix seconds at which its public part was published: how old it is counts from there. */
  readonly publishedAt: number;
}

/** Who a token is for. */
interface TokenSubject {
  readonly userId: string;
  readonly appid: string;
  /** Id of the login that the token belongs to. Default: a new one. */
  readonly sid?: string;
  /** Unix seconds of the WeChat login behind this token. Default: now. */
  readonly authTime?: number;
}

/** A new token and when it ends. */
export interface MintedToken {
  readonly token: string;
  readonly jti: string;
  /** Seconds from now. */
  readonly expiresIn: number;
  /** Unix seconds. */
  readonly expiresAt: number;
  /** Age of the key that signed it, in seconds. */
  readonly keyAgeSeconds: number;
}

export interface TokenMinter {
  /** Starts to read the signing key, so that a {@link TokenMinter.mint} soon after need not wait for it. */
  prepare(): void;
  /** @throws DomainError `unavailable` when the signing key cannot be had */
  mint(subject: TokenSubject): Promise<MintedToken>;
}

interface TokenMinterOptions {
  readonly signingKey: () => Promise<SigningKey>;
  readonly issuer: string;
  readonly audience: string;
  readonly lifetimeSeconds: number;
  readonly now: Clock;
}

/** Signs claims that no verifier takes, so that the first mint finds jose and OpenSSL ready. */
export async function rehearseSigning({ key }: SigningKey): Promise<void> {
  await new SignJWT({}).setProtectedHeader({ alg: TOKEN_ALGORITHM }).sign(key);
}

export function createTokenMinter(options: TokenMinterOptions): TokenMinter {
  const { signingKey, issuer, audience, lifetimeSeconds, now } = options;
  return {
    prepare() {
      // The mint meets a failure again, and reports it.
      signingKey().catch(() => {});
    },
    async mint({ userId, appid, sid = randomUUID(), authTime }) {
      const { kid, key, publishedAt } = await signingKey();
      const issuedAt = unixSeconds(now);
      const expiresAt = issuedAt + lifetimeSeconds;
      const jti = randomUUID();
      // The login may have begun by the clock of another environment, which is ahead of this one.
      const auth_time = Math.min(authTime ?? issuedAt, issuedAt);
      const token = await new SignJWT({ client_id: appid, auth_time, sid })
        .setProtectedHeader({ alg: TOKEN_ALGORITHM, kid, typ: TOKEN_TYPE })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(userId)
        .setIssuedAt(issuedAt)
        .setExpirationTime(expiresAt)
        .setJti(jti)
        .sign(key);
      return { token, jti, expiresIn: lifetimeSeconds, expiresAt, keyAgeSeconds: issuedAt - publishedAt };
    },
  };
}
