/** The key that signs now, read from the key ring's secret and followed within minutes when the ring rotates. */
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { importJWK } from 'jose';
import { createRefreshedValue } from '../cache/refreshed-value.ts';
import { DomainError } from '../errors/domain-error.ts';
import { TOKEN_ALGORITHM } from './claims.ts';
import { type KeyRing, parseKeyRing, type RingKey } from './key-ring.ts';
import type { SigningKey } from './mint.ts';

/** From this age on the ring is read again in the background: a rotation reaches every signer within minutes. */
const REFRESH_AFTER_MS = 5 * 60_000;

/** Least time between two reads of the secret. */
const COOLDOWN_MS = 1_000;

/** What {@link createSigningKeySource} needs. */
export interface SigningKeySourceOptions {
  readonly client: SecretsManagerClient;
  readonly keyRingArn: string;
  /** Current Unix time in milliseconds. */
  readonly now: () => number;
}

/**
 * Creates the function that answers the current signing key; concurrent first calls share one read.
 *
 * The answered function throws DomainError `unavailable` while the ring cannot be read or was not created yet.
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
    refreshAfterMs: REFRESH_AFTER_MS,
    cooldownMs: COOLDOWN_MS,
    now,
  });
  return () => signingKey.get();
}

/** Imports a ring's private key so that it can sign and nothing else. */
export async function importSigningKey({ kid, private_jwk }: RingKey): Promise<SigningKey> {
  return { kid, key: await importJWK(private_jwk, TOKEN_ALGORITHM, { extractable: false }) };
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
