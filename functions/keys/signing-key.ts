/** The key that signs now, read from the key ring's secret and followed within half a minute when the ring rotates. */
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { importJWK } from 'jose';
import { createRefreshedValue } from '../cache/refreshed-value.ts';
import { SIGNER_MAX_AGE_SECONDS, SIGNER_REFRESH_SECONDS } from '../contracts/key-schedule.ts';
import { TOKEN_ALGORITHM } from '../contracts/token.ts';
import { DomainError } from '../errors/domain-error.ts';
import type { SigningKey } from '../tokens/mint.ts';
import { type KeyRing, parseKeyRing, type RingKey } from './key-ring.ts';

/** Least time between two reads of the secret. */
const COOLDOWN_MS = 5_000;

/** What {@link createSigningKeySource} needs. */
export interface SigningKeySourceOptions {
  readonly client: SecretsManagerClient;
  readonly keyRingArn: string;
  /** Current Unix time in milliseconds. */
  readonly now: () => number;
}

/**
 * Creates the function that answers the current signing key; concurrent calls share one read.
 *
 * A ring older than {@link SIGNER_REFRESH_SECONDS} is read again before it is used, and not behind the caller's back:
 * an environment that slept through a rotation would sign with a key that nobody accepts any more. While the secret
 * cannot be read, the old ring goes on signing up to {@link SIGNER_MAX_AGE_SECONDS}.
 *
 * The answered function throws DomainError `unavailable` while the ring cannot be read or was not created yet.
 */
export function createSigningKeySource(options: SigningKeySourceOptions): () => Promise<SigningKey> {
  const { client, keyRingArn, now } = options;
  let imported: SigningKey | undefined;
  let readAt = Number.POSITIVE_INFINITY;
  const signingKey = createRefreshedValue({
    async load() {
      const startedAt = now();
      const { current } = await readRing(client, keyRingArn);
      if (imported?.kid !== current.kid) imported = await importSigningKey(current);
      readAt = startedAt;
      return imported;
    },
    refreshAfterMs: SIGNER_MAX_AGE_SECONDS * 1000,
    maxAgeMs: SIGNER_MAX_AGE_SECONDS * 1000,
    cooldownMs: COOLDOWN_MS,
    now,
  });
  return async () => {
    if (now() - readAt >= SIGNER_REFRESH_SECONDS * 1000) await signingKey.refresh().catch(() => {});
    return signingKey.get();
  };
}

/** Imports a ring's private key so that it can sign and nothing else. */
export async function importSigningKey({ kid, private_jwk, published_at }: RingKey): Promise<SigningKey> {
  const key = await importJWK(private_jwk, TOKEN_ALGORITHM, { extractable: false });
  return { kid, key, publishedAt: published_at };
}

/** Errors carry the reason's name only: what the SDK and the parser attach may hold the answer, and so the keys. */
async function readRing(client: SecretsManagerClient, keyRingArn: string): Promise<KeyRing> {
  let text: string | undefined;
  try {
    const answer = await client.send(new GetSecretValueCommand({ SecretId: keyRingArn }));
    text = answer.SecretString;
  } catch (error) {
    const name = error instanceof Error ? error.name : 'unknown';
    throw new DomainError('unavailable', {
      reason: `the key ring cannot be read: ${name}`,
      retryAfterSeconds: 2,
    });
  }
  let ring: KeyRing | undefined;
  try {
    ring = parseKeyRing(text);
  } catch {
    throw new DomainError('unavailable', { reason: 'the key ring is damaged', retryAfterSeconds: 60 });
  }
  if (ring === undefined)
    throw new DomainError('unavailable', {
      reason: 'the key ring was not created yet',
      retryAfterSeconds: 5,
    });
  return ring;
}
