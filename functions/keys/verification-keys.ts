/**
 * The public keys tokens are verified with: read from where rotation publishes them, followed as they change,
 * and never trusted beyond a maximum age.
 */
import { type CryptoKey, importJWK } from 'jose';
import * as v from 'valibot';
import { createRefreshedValue } from '../cache/refreshed-value.ts';
import type { Clock } from '../contracts/clock.ts';
import { TOKEN_ALGORITHM } from '../contracts/token.ts';
import { DomainError } from '../errors/domain-error.ts';
import type { KeySource } from '../tokens/verify.ts';
import { jwksSchema } from './json-web-keys.ts';

/** From this age on the set is read again in the background: how soon a dropped key is no longer accepted. */
const REFRESH_AFTER_MS = 30_000;

/** A set of this age is not used any more: a verifier that was frozen or cannot read must not accept a dropped key. */
const MAX_AGE_MS = 10 * 60_000;

/** Least time between two reads of the set. */
const COOLDOWN_MS = 1_000;

/** Least time between two reads that unknown key ids cause: anyone can send those. */
const UNKNOWN_KID_COOLDOWN_MS = 30_000;

/** The issuer's public keys. */
export interface VerificationKeys extends KeySource {
  /** Reads the keys ahead of the first token, and says what they are called. @throws as {@link KeySource.find} */
  warm(): Promise<readonly string[]>;
}

interface KeySourceOptions {
  /** Reads the JWK Set; its shape is checked here. */
  readonly load: () => Promise<unknown>;
  readonly now: Clock;
}

/** Keys are imported once per read, and nothing is read before the first call. */
export function createKeySource({ load, now }: KeySourceOptions): VerificationKeys {
  const keys = createRefreshedValue({
    load: () => load().then(importKeys),
    refreshAfterMs: REFRESH_AFTER_MS,
    maxAgeMs: MAX_AGE_MS,
    cooldownMs: COOLDOWN_MS,
    now,
  });
  const search = createRefreshedValue({
    load: keys.refresh,
    refreshAfterMs: UNKNOWN_KID_COOLDOWN_MS,
    maxAgeMs: UNKNOWN_KID_COOLDOWN_MS,
    cooldownMs: UNKNOWN_KID_COOLDOWN_MS,
    now,
  });

  return {
    async find(kid) {
      const known = (await keys.get()).get(kid);
      if (known !== undefined) return known;
      // While a search that failed cools down, it fails for every unknown key: this might be the one it missed.
      await search.get();
      return (await keys.get()).get(kid);
    },
    warm: async () => [...(await keys.get()).keys()],
  };
}

async function importKeys(jwks: unknown): Promise<ReadonlyMap<string, CryptoKey>> {
  try {
    const { keys } = v.parse(jwksSchema, jwks);
    return new Map(
      await Promise.all(keys.map(async (jwk) => [jwk.kid, await importJWK(jwk, TOKEN_ALGORITHM)] as const)),
    );
  } catch (cause) {
    throw new DomainError('unavailable', { cause, reason: 'the published JWK Set is damaged' });
  }
}
