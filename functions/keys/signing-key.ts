/** The key that signs now, read from the key ring's secret and followed within half a minute when the ring rotates. */
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { importJWK } from 'jose';
import { createRefreshedValue } from '../cache/refreshed-value.ts';
import type { Clock } from '../contracts/clock.ts';
import { SIGNER_MAX_AGE_SECONDS, SIGNER_REFRESH_SECONDS } from '../contracts/key-schedule.ts';
import { TOKEN_ALGORITHM } from '../contracts/token.ts';
import { DomainError } from '../errors/domain-error.ts';
import type { SigningKey } from '../tokens/mint.ts';
import { type KeyRing, parseKeyRing, type RingKey } from './key-ring.ts';

/** Least time between two reads of the secret. */
const COOLDOWN_MS = 5_000;

interface SigningKeySourceOptions {
  readonly client: SecretsManagerClient;
  readonly keyRingArn: string;
  readonly now: Clock;
}

/**
 * Creates the function that gives the current signing key; concurrent calls share one read.
 *
 * A ring older than {@link SIGNER_REFRESH_SECONDS} is read again before it is used and not in the background: an
 * environment that was frozen during a rotation would sign with a key that nobody accepts any more. While the secret
 * cannot be read, the old ring goes on signing up to {@link SIGNER_MAX_AGE_SECONDS}.
 *
 * The function throws DomainError `unavailable` while the ring cannot be read or was not created yet.
 */
export function createSigningKeySource(options: SigningKeySourceOptions): () => Promise<SigningKey> {
  const { client, keyRingArn, now } = options;
  let imported: SigningKey | undefined;
  const signingKey = createRefreshedValue({
    async load() {
      const { current } = await readRing(client, keyRingArn);
      if (imported?.kid !== current.kid) imported = await importSigningKey(current);
      return imported;
    },
    refreshAfterMs: SIGNER_REFRESH_SECONDS * 1000,
    whileStale: 'wait',
    maxAgeMs: SIGNER_MAX_AGE_SECONDS * 1000,
    cooldownMs: COOLDOWN_MS,
    now,
  });
  return signingKey.get;
}

/** Imports a ring's private key so that it can sign and nothing else. */
export async function importSigningKey({ kid, private_jwk, published_at }: RingKey): Promise<SigningKey> {
  const key = await importJWK(private_jwk, TOKEN_ALGORITHM, { extractable: false });
  return { kid, key, publishedAt: published_at };
}

/** Errors carry the reason's name only: what the SDK attaches may hold the response, and so the keys. */
async function readRing(client: SecretsManagerClient, keyRingArn: string): Promise<KeyRing> {
  let text: string | undefined;
  try {
    ({ SecretString: text } = await client.send(new GetSecretValueCommand({ SecretId: keyRingArn })));
  } catch (error) {
    const name = error instanceof Error ? error.name : 'unknown';
    throw new DomainError('unavailable', { reason: `the key ring cannot be read: ${name}` });
  }
  let ring: KeyRing | undefined;
  try {
    ring = parseKeyRing(text);
  } catch {
    throw new DomainError('unavailable', { reason: 'the key ring is damaged' });
  }
  if (ring === undefined)
    throw new DomainError('unavailable', { reason: 'the key ring was not created yet' });
  return ring;
}
