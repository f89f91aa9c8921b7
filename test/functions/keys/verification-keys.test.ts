import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { DomainError } from '../../../functions/errors/domain-error.ts';
import { createKeySource, type VerificationKeys } from '../../../functions/keys/verification-keys.ts';
import { createTestKey, NOW, type TestKey } from '../../fixtures/tokens.ts';
import { weakKeys } from '../../fixtures/weak-keys.ts';

const MINUTE = 60_000;
/** For what happens in the background; it only ends what hangs. */
const PATIENCE = { timeout: 60_000 };

let first: TestKey;
let second: TestKey;
let clock: number;
let loads: number;
let published: unknown;
let source: VerificationKeys;

beforeAll(async () => {
  [first, second] = await Promise.all([createTestKey(), createTestKey()]);
});

beforeEach(() => {
  clock = NOW;
  loads = 0;
  published = first.jwks;
  source = createKeySource({
    load: async () => {
      loads++;
      if (published instanceof Error) throw published;
      return published;
    },
    now: () => clock,
  });
});

const away = () => new DomainError('unavailable', { reason: 'the table is away' });

describe('the key source', () => {
  it('reads the set once for any number of tokens', async () => {
    await source.warm();

    const keys = await Promise.all(Array.from({ length: 50 }, () => source.find(first.kid)));

    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toBeDefined();
    expect(loads).toBe(1);
  });

  it('shares one read among all first callers', async () => {
    await Promise.all(Array.from({ length: 50 }, () => source.find(first.kid)));

    expect(loads).toBe(1);
  });

  it('reads the set once more for an unknown key, and finds one that was just published', async () => {
    await source.warm();
    clock += MINUTE;
    published = { keys: [first.publicJwk, second.publicJwk] };

    const found = await Promise.all(Array.from({ length: 50 }, () => source.find(second.kid)));

    expect(found.every((key) => key !== undefined)).toBe(true);
    expect(loads).toBe(2);
  });

  it('does not read again for unknown keys within the cool-down, and does after it', async () => {
    await source.warm();
    clock += MINUTE;

    for (let n = 0; n < 100; n++) {
      expect(await source.find(`unknown-${n}`)).toBeUndefined();
      clock += 299;
    }
    expect(loads).toBe(2);
    clock += 100;
    await source.find('unknown');

    expect(loads).toBe(3);
  });

  it('fails for an unknown key instead of refusing it while the set cannot be read, and goes on with the known ones', async () => {
    await source.warm();
    clock += 5_000;
    published = away();

    for (let n = 0; n < 3; n++) {
      await expect(source.find('unknown')).rejects.toMatchObject({ code: 'unavailable' });
      expect(await source.find(first.kid)).toBeDefined();
      clock += 600;
    }
    expect(loads).toBe(2);
  });

  it('looks again for an unknown key once a caller has waited as long as a failed search told them to', async () => {
    await source.warm();
    clock += 5_000;
    published = away();
    await expect(source.find(second.kid)).rejects.toMatchObject({ retryAfterSeconds: 2 });
    published = second.jwks;

    clock += 2_000;

    expect(await source.find(second.kid)).toBeDefined();
  });

  it('searches, and drops what is too old, although the clock was set back', async () => {
    await source.warm();
    await source.find('unknown');
    published = second.jwks;

    clock -= 600_000;

    expect(await source.find(second.kid)).toBeDefined();
    expect(await source.find(first.kid)).toBeUndefined();
  });

  it('follows the set in the background after half a minute, dropping withdrawn keys', async () => {
    await source.warm();
    published = second.jwks;
    clock += MINUTE / 2;

    expect(await source.find(first.kid)).toBeDefined();

    await vi.waitFor(async () => expect(await source.find(first.kid)).toBeUndefined(), PATIENCE);
    expect(await source.find(second.kid)).toBeDefined();
  });

  it('trusts no key beyond ten minutes without a fresh read, not even a known one', async () => {
    await source.warm();
    published = away();

    clock += 10 * MINUTE - 1;
    expect(await source.find(first.kid)).toBeDefined();
    clock += 1_001;

    await expect(source.find(first.kid)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('recovers within a second or two when the first read failed', async () => {
    published = away();
    await expect(source.find(first.kid)).rejects.toMatchObject({ code: 'unavailable' });
    published = first.jwks;
    clock += 1_000;

    expect(await source.find(first.kid)).toBeDefined();
  });

  it('refuses a set that holds anything but public signing keys of ours', async () => {
    const { publicJwk } = first;
    const sets: unknown[] = [
      undefined,
      null,
      [],
      {},
      { keys: [] },
      { keys: 'x' },
      { keys: [{ ...publicJwk, d: 'AQAB' }] },
      { keys: [{ ...publicJwk, alg: 'HS256' }] },
      { keys: [{ ...publicJwk, alg: undefined }] },
      { keys: [{ ...publicJwk, use: 'enc' }] },
      { keys: [{ ...publicJwk, n: '!' }] },
      ...(await weakKeys()).map((weak) => ({ keys: [weak] })),
      { keys: [publicJwk, (await weakKeys())[0]] },
      { keys: [{ kty: 'oct', k: 'AQAB', kid: 'x', alg: 'RS256', use: 'sig' }] },
      { keys: Array(11).fill(publicJwk) },
    ];

    for (const set of sets) {
      const load = async () => set;
      const refused = createKeySource({ load, now: () => clock }).find(first.kid);
      await expect(refused, JSON.stringify(set)).rejects.toMatchObject({ code: 'unavailable' });
    }
  });
});
