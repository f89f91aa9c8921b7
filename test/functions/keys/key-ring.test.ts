import { createPublicKey } from 'node:crypto';
import { inspect } from 'node:util';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type CreateKey,
  createKeyRing,
  dropKeys,
  type KeyRing,
  parseKeyRing,
  promote,
  publicJwks,
  usesKey,
} from '../../../functions/keys/key-ring.ts';
import { keySupply } from '../../fixtures/key-pairs.ts';
import { NOW_SECONDS } from '../../fixtures/tokens.ts';

const DAY = 86_400;
const HOUR = 3600;

let ring: KeyRing;
let createKey: CreateKey;

beforeAll(async () => {
  ring = await createKeyRing(NOW_SECONDS, keySupply());
});

beforeEach(() => {
  // The first two are in the ring.
  createKey = keySupply(2);
});

describe('a new key ring', () => {
  it('a new ring has a key that signs and another that is only public yet', () => {
    expect(ring.current.kid).not.toBe(ring.next.kid);
    expect(ring.retired).toEqual([]);
  });

  it('a new ring has RSA keys of 2,048 bits', async () => {
    const { current, next } = await createKeyRing(NOW_SECONDS);

    for (const { private_jwk } of [current, next]) {
      const key = createPublicKey({ key: private_jwk, format: 'jwk' });
      expect(key.asymmetricKeyDetails?.modulusLength).toBe(2048);
    }
  });

  it('a ring is the same after it was stored and read', () => {
    expect(parseKeyRing(JSON.stringify(ring))).toEqual(ring);
  });
});

describe('promotion', () => {
  it('a promotion lets next sign, makes a new next, and keeps the old key public until its last token is gone', async () => {
    const now = NOW_SECONDS + 30 * DAY;

    const { ring: promoted, kept } = await promote(ring, now, createKey);

    expect(kept).toBeUndefined();
    expect(promoted.current).toEqual(ring.next);
    expect([ring.current.kid, ring.next.kid]).not.toContain(promoted.next.kid);
    expect(promoted.next.published_at).toBe(now);
    expect(promoted.retired).toMatchObject([
      { kid: ring.current.kid, remove_after: now + 7 * DAY + 3 * HOUR + 15 * 60 },
    ]);
    expect(parseKeyRing(JSON.stringify(promoted))).toEqual(promoted);
  });

  it('a promotion does not let a key sign that has not been public for long enough', async () => {
    const early = await promote(ring, NOW_SECONDS + 12 * HOUR - 1, createKey);
    const due = await promote(ring, NOW_SECONDS + 12 * HOUR, createKey);

    expect(early).toEqual({ ring, kept: 'next_is_too_young' });
    expect(due.kept).toBeUndefined();
  });

  it('a promotion drops a retired key when its time is over and not a second earlier, promoting or not', async () => {
    const { ring: promoted } = await promote(ring, NOW_SECONDS + DAY, createKey);
    const end = promoted.retired[0]?.remove_after ?? 0;

    const before = await promote(promoted, end - 1, createKey);
    const young = { ...promoted, next: { ...promoted.next, published_at: end } };
    const after = await promote(young, end, createKey);
    const promotedAgain = await promote(promoted, end, createKey);

    expect(before.ring.retired.map(({ kid }) => kid)).toContain(ring.current.kid);
    expect(after.kept).toBe('next_is_too_young');
    expect(after.ring.retired).toEqual([]);
    expect(promotedAgain.ring.retired.map(({ kid }) => kid)).toEqual([promoted.current.kid]);
  });

  it('a promotion waits when the set would outgrow what verifiers read', async () => {
    let grown = ring;
    let now = NOW_SECONDS;
    const outcomes: (string | undefined)[] = [];
    for (let round = 0; round < 12; round++) {
      now += 12 * HOUR;
      const promotion = await promote(grown, now, createKey);
      grown = promotion.ring;
      outcomes.push(promotion.kept);
      expect(publicJwks(grown).keys.length).toBeLessThanOrEqual(10);
    }

    expect(outcomes.slice(0, 8)).toEqual(Array(8).fill(undefined));
    expect(outcomes.slice(8)).toEqual(Array(4).fill('too_many_keys'));
  });
});

describe('dropping keys', () => {
  const kids = (...dropped: { kid: string }[]) => new Set(dropped.map(({ kid }) => kid));

  it('lets next sign at once when current is dropped, and makes a new next', async () => {
    const { ring: rotated } = await promote(ring, NOW_SECONDS + DAY, createKey);
    const after = await dropKeys(rotated, NOW_SECONDS + DAY + 1, kids(rotated.current), createKey);

    expect(after.current).toEqual(rotated.next);
    expect([rotated.current.kid, rotated.next.kid]).not.toContain(after.next.kid);
    expect(after.retired).toEqual(rotated.retired);
    expect(usesKey(after, kids(rotated.current))).toBe(false);
  });

  it('keeps the key that signs when only next or a retired one is dropped', async () => {
    const { ring: rotated } = await promote(ring, NOW_SECONDS + DAY, createKey);
    const after = await dropKeys(rotated, NOW_SECONDS + DAY + 1, kids(rotated.next, ring.current), createKey);

    expect(after.current).toEqual(rotated.current);
    expect(after.next.kid).not.toBe(rotated.next.kid);
    expect(after.retired).toEqual([]);
  });

  it('replaces every key when every key is dropped', async () => {
    const { ring: rotated } = await promote(ring, NOW_SECONDS + DAY, createKey);
    const all = kids(...publicJwks(rotated).keys);
    const after = await dropKeys(rotated, NOW_SECONDS + DAY + 1, all, createKey);

    expect(publicJwks(after).keys.filter(({ kid }) => all.has(kid))).toEqual([]);
    expect(publicJwks(after).keys).toHaveLength(2);
  });
});

describe('the published set', () => {
  it('the published set holds every key in order, with the members verifiers insist on and never a private one', async () => {
    const { ring: promoted } = await promote(ring, NOW_SECONDS + DAY, createKey);

    const { keys } = publicJwks(promoted);

    expect(keys.map(({ kid }) => kid)).toEqual([promoted.current.kid, promoted.next.kid, ring.current.kid]);
    for (const key of keys) {
      expect(Object.keys(key)).toEqual(['kid', 'alg', 'use', 'kty', 'n', 'e']);
      expect(key).toMatchObject({ alg: 'RS256', use: 'sig', kty: 'RSA', e: 'AQAB' });
    }
  });

  it('a set that breaks a limit is not published', () => {
    const one = publicJwks(ring).keys[0];
    if (one === undefined) throw new Error('no key');
    const retired = (count: number, public_jwk = one) =>
      Array.from({ length: count }, () => ({ kid: one.kid, public_jwk, remove_after: 0 }));

    expect(publicJwks({ ...ring, retired: retired(8) }).keys).toHaveLength(10);
    expect(() => publicJwks({ ...ring, retired: retired(9) })).toThrow('limits');
    expect(() => publicJwks({ ...ring, retired: retired(1, { ...one, n: 'x'.repeat(150_000) }) })).toThrow(
      'limits',
    );
    expect(() => publicJwks({ ...ring, retired: retired(1, { ...one, ...{ d: 'AQAB' } }) })).toThrow(
      'limits',
    );
  });
});

describe('the stored text', () => {
  it('the stored text is no ring yet while it is the placeholder a secret is born with', () => {
    for (const text of [undefined, '', 'Zk{3"x|9', '{"placeholder":"Zk3x9"}', '{}']) {
      expect(parseKeyRing(text)).toBeUndefined();
    }
  });

  it('a damaged ring is never taken for a missing one, and never quoted', () => {
    const text = JSON.stringify(ring);
    const { d, p } = ring.current.private_jwk;
    const damaged = [
      text.slice(0, -1),
      text.replace('"next"', '"text"'),
      text.replace('"d":"', '"d":"!'),
      JSON.stringify({ ...ring, extra: 1 }),
      JSON.stringify({ ...ring, current: null }),
      JSON.stringify({
        ...ring,
        retired: [{ kid: 'x', public_jwk: ring.current.private_jwk, remove_after: 1 }],
      }),
      JSON.stringify({ ...ring, next: { ...ring.next, published_at: 'yesterday' } }),
      `[${text}]`,
    ];

    for (const damage of damaged) {
      let error: unknown;
      try {
        parseKeyRing(damage);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(Error);
      const shown = inspect(error, { depth: 9, showHidden: true });
      expect(shown).toMatch('The key ring is damaged');
      expect(shown).not.toContain(d.slice(0, 8));
      expect(shown).not.toContain(p.slice(0, 8));
    }
  });
});
