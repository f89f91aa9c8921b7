import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
} from '@aws-sdk/client-secrets-manager';
import { decodeProtectedHeader } from 'jose';
import type { RotationStep } from 'local-aws';
import { describe, expect, it, vi } from 'vitest';
import { publicJwks } from '../../../functions/keys/key-ring.ts';
import {
  loadSigningKeyCreatedAt,
  publishJwks,
  readPublished,
} from '../../../functions/keys/published-in-table.ts';
import { createRotation, type RotationReport } from '../../../functions/keys/rotation.ts';
import { createSigningKeySource } from '../../../functions/keys/signing-key.ts';
import { createKeySource } from '../../../functions/keys/verification-keys.ts';
import { createTokenMinter } from '../../../functions/tokens/mint.ts';
import { createTokenVerifier } from '../../../functions/tokens/verify.ts';
import { keySupply } from '../../fixtures/key-pairs.ts';
import { AUDIENCE, ISSUER, NOW } from '../../fixtures/tokens.ts';
import { keyRingArn, ownRing, placeholder, useRotation } from './rotation-parts.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const tokenLifetimeSeconds = 7 * 86_400;
const self = { issuer: ISSUER, audience: AUDIENCE };

/** For what happens in the background; it only ends what hangs. */
const PATIENCE = { timeout: 60_000 };

const setUp = useRotation();
type Parts = Awaited<ReturnType<typeof setUp>>;

/** What a first rotation leaves, without its four steps. */
async function rotated(currentEndsPending?: boolean) {
  const ring = await ownRing(NOW / 1000);
  const parts = await setUp(placeholder, currentEndsPending);
  await parts.secrets.send(
    new PutSecretValueCommand({ SecretId: keyRingArn, SecretString: JSON.stringify(ring) }),
  );
  const publication = { jwks: publicJwks(ring), signingKeyCreatedAt: ring.current.published_at };
  await publishJwks(parts.table, publication, undefined);
  return parts;
}

describe('the first rotation', () => {
  it('the first rotation creates the ring and publishes its keys', async () => {
    const { rotate, ring, published, state } = await setUp();

    await rotate();

    expect((await ring()).retired).toEqual([]);
    expect(await published()).toEqual(publicJwks(await ring()));
    expect(state.log.map(({ outcome }) => outcome)).toEqual([
      ...['created_first_ring', 'published', 'tested', 'finished'],
    ]);
  });

  it.each([false, true])(
    'the first rotation leaves what the tests of later ones begin with, whether the label goes with the move to current: %s',
    async (currentEndsPending) => {
      const left = async ({ secrets, table, ring, published }: Parts) => {
        const { VersionIdsToStages = {} } = await secrets.send(
          new DescribeSecretCommand({ SecretId: keyRingArn }),
        );
        const { SecretString: previous } = await secrets.send(
          new GetSecretValueCommand({ SecretId: keyRingArn, VersionStage: 'AWSPREVIOUS' }),
        );
        const stored = await ring();
        expect(await published()).toEqual(publicJwks(stored));
        return {
          labels: Object.values(VersionIdsToStages).sort(),
          previous,
          publishedAt: [stored.current.published_at, stored.next.published_at],
          retired: stored.retired,
          signingKeyCreatedAt: await loadSigningKeyCreatedAt(table),
        };
      };
      const first = await setUp(placeholder, currentEndsPending);
      await first.rotate();
      const leftByFirst = await left(first);

      expect(leftByFirst).toMatchObject({ labels: [['AWSCURRENT'], ['AWSPREVIOUS']], previous: placeholder });
      expect(await left(await rotated(currentEndsPending))).toEqual(leftByFirst);
    },
  );

  it('a rotation never replaces a damaged ring by a new one', async () => {
    const { rotate, published } = await setUp('{"current":{"kid":"x"');

    await expect(rotate()).rejects.toThrow('damaged');
    await expect(published()).rejects.toThrow('no JWK Set is published yet');
  });
});

describe('a later rotation', () => {
  it.each([false, true])(
    'ends with nothing pending, whether the label goes with the move to current: %s',
    async (currentEndsPending) => {
      const { rotate, secrets, state } = await rotated(currentEndsPending);
      state.now += 30 * DAY;

      await rotate();

      const { VersionIdsToStages = {} } = await secrets.send(
        new DescribeSecretCommand({ SecretId: keyRingArn }),
      );
      expect(Object.values(VersionIdsToStages).flat().sort()).toEqual(['AWSCURRENT', 'AWSPREVIOUS']);
      expect(state.log.at(-1)?.outcome).toBe('finished');
    },
  );

  it('a rotation lets the next key sign and keeps the old one public', async () => {
    const { rotate, ring, published, state } = await rotated();
    const before = await ring();
    state.now += 30 * DAY;

    await rotate();

    const after = await ring();
    expect(after.current).toEqual(before.next);
    expect(after.retired.map(({ kid }) => kid)).toEqual([before.current.kid]);
    expect(await published()).toEqual(publicJwks(after));
  });

  it('a rotation changes no key when it comes too early', async () => {
    const { rotate, ring, state } = await rotated();
    const before = await ring();
    state.now += HOUR;

    await rotate();

    expect(await ring()).toEqual(before);
    expect(state.log.map(({ outcome }) => outcome)).toContain('kept_next_is_too_young');
  });

  it('a rotation publishes a key before the ring that names it is stored', async () => {
    const { rotate, ring, published, state, override, step } = await setUp();
    await rotate();
    state.now += 30 * DAY;
    override(async (event) => {
      await step(event);
      throw new Error('stopped after createSecret');
    });
    await expect(rotate()).rejects.toThrow('stopped');

    const { keys } = (await published()) as { keys: { kid: string }[] };

    expect(keys).toHaveLength(3);
    expect(keys.map(({ kid }) => kid)).toContain((await ring()).current.kid);
  });

  it('a rotation does not finish while something else is published', async () => {
    const { table, rotate, ring, state, override, step } = await rotated();
    const before = await ring();
    state.now += 30 * DAY;
    override(async (event) => {
      await step(event);
      if (event.Step === 'setSecret')
        await publishJwks(
          table,
          { jwks: publicJwks(before), signingKeyCreatedAt: 0 },
          await readPublished(table),
        );
    });

    await expect(rotate()).rejects.toThrow('published JWK Set is not that of the new key ring');

    expect(await ring()).toEqual(before);
  });

  it.each(['createSecret', 'setSecret'])(
    'a %s that was overtaken by a twin leaves the set that the twin has published',
    async (overtaken) => {
      const { table, rotate, state, now, secrets, published, override, step } = await setUp();
      await rotate();
      state.now += 30 * DAY;
      const newer = publicJwks(await ownRing(NOW / 1000));
      const { client } = table.connect(async ({ command }, proceed) => {
        if (command === 'PutItem')
          await publishJwks(table, { jwks: newer, signingKeyCreatedAt: 0 }, await readPublished(table));
        return proceed();
      });
      const slow = createRotation({ secrets, keyRingArn, table: { ...table, client }, now });
      override((event) => (event.Step === overtaken ? slow(event) : step(event)));

      await expect(rotate()).rejects.toThrow('another JWK Set than this was published meanwhile');

      expect(await published()).toEqual(newer);
    },
  );
});

describe('a key that cannot sign what its public part verifies', () => {
  it.each(['current', 'next'] as const)(
    'a key that cannot sign what its public part verifies never becomes %s',
    async (role) => {
      const supply = keySupply();
      const [old, other] = await Promise.all([ownRing(NOW / 1000, supply), ownRing(NOW / 1000, supply)]);
      const { n, e } = old[role].private_jwk;
      const damaged = { ...old[role], private_jwk: { ...other[role].private_jwk, n, e } };
      const { rotate, ring } = await setUp(JSON.stringify({ ...old, [role]: damaged }));
      const before = await ring();

      // Too early to rotate, so both keys go on into the new ring.
      await expect(rotate()).rejects.toThrow();

      expect(await ring()).toEqual(before);
    },
  );
});

describe('a rotation that is cut off', () => {
  it('a rotation that is repeated from the start creates nothing again', async () => {
    const { rotate, published, override, step } = await setUp();
    const reports: RotationReport[] = [];
    override(async (event) => {
      reports.push(await step(event));
      if (event.Step === 'testSecret') throw new Error('stopped before finishSecret');
    });
    await expect(rotate()).rejects.toThrow('stopped');
    const before = await published();

    await expect(rotate()).rejects.toThrow('stopped');

    expect(reports.map(({ outcome }) => outcome)).toEqual([
      ...['created_first_ring', 'published', 'tested'],
      ...['already_done', 'published', 'tested'],
    ]);
    expect(await published()).toEqual(before);
  });

  it('a rotation ends the same when every step comes twice', async () => {
    const { rotate, ring, published, state, override, step } = await rotated();
    const before = await ring();
    state.now += 30 * DAY;
    override(async (event) => {
      await step(event);
      await step(event);
    });

    await rotate();

    const after = await ring();
    expect(after.current).toEqual(before.next);
    expect(await published()).toEqual(publicJwks(after));
  });

  it('a rotation ends the same when every step runs twice at once', async () => {
    const { rotate, ring, published, state, override, step } = await rotated();
    const before = await ring();
    state.now += 30 * DAY;
    override((event) => Promise.all([step(event), step(event)]));

    // A step that reads its twin's set back fails, and Secrets Manager repeats the rotation.
    await rotate().catch(async () => {
      override(step);
      await rotate();
    });

    const after = await ring();
    expect(after.current).toEqual(before.next);
    expect(await published()).toEqual(publicJwks(after));
  });

  it('a rotation that is resumed so late that the retired key would go before its last token is started anew', async () => {
    const { rotate, ring, published, state, now, secrets, override, step } = await rotated();
    const before = await ring();
    state.now += 30 * DAY;
    const stopAt = (last: string) =>
      override(async (event) => {
        if (event.Step === last) throw new Error('stopped');
        await step(event);
      });
    const signingKey = createSigningKeySource({ client: secrets, keyRingArn, now });
    const minter = createTokenMinter({ ...self, now, lifetimeSeconds: tokenLifetimeSeconds, signingKey });
    const verifier = createTokenVerifier({ ...self, now, keys: createKeySource({ load: published, now }) });

    for (const last of ['setSecret', 'testSecret', 'finishSecret']) {
      stopAt(last);
      await expect(rotate()).rejects.toThrow('stopped');
      state.now += 8 * DAY;
      override(step);
      await expect(rotate()).rejects.toThrow('rotate again');
      expect(await ring()).toEqual(before);
    }
    const { token } = await minter.mint({ userId: 'user', appid: 'wx1' });
    await rotate();
    state.now += 6 * DAY;
    await rotate();

    expect((await verifier.verify(token)).userId).toBe('user');
  });

  it('a rotation that is resumed within the hour is finished', async () => {
    const { rotate, ring, state, override, step } = await rotated();
    const before = await ring();
    state.now += 30 * DAY;
    override(async (event) => {
      if (event.Step === 'finishSecret') throw new Error('stopped');
      await step(event);
    });
    await expect(rotate()).rejects.toThrow('stopped');
    override(step);
    state.now += HOUR;

    await rotate();

    expect((await ring()).current).toEqual(before.next);
  });

  it('a late repetition of a step does not bring an old rotation back', async () => {
    const { rotate, ring, published, state, override, step } = await setUp();
    const events: RotationStep[] = [];
    override((event) => {
      events.push(event);
      return step(event);
    });
    await rotate();
    state.now += 30 * DAY;
    override(step);
    await rotate();
    const after = await ring();

    for (const event of events) await expect(step(event)).rejects.toThrow('not being rotated');

    expect(await ring()).toEqual(after);
    expect(await published()).toEqual(publicJwks(after));
  });
});

describe('an emergency rotation', () => {
  it('an emergency rotation takes the key that signs out of use and of the published set at once; next signs, the others stay', async () => {
    const { rotate, ring, publishedKids, drop, state } = await rotated();
    state.now += 30 * DAY;
    await rotate();
    const before = await ring();

    await drop(before.current.kid);
    await rotate();

    const after = await ring();
    expect(after.current).toEqual(before.next);
    expect(after.retired).toEqual(before.retired);
    expect(await publishedKids()).toEqual([before.next.kid, after.next.kid, before.retired[0]?.kid]);
    expect(state.log.map(({ outcome }) => outcome)).toContain('dropped_keys');
  });

  it('an emergency rotation is done once: later rotations go on as before', async () => {
    const { rotate, ring, drop, state } = await rotated();
    await drop((await ring()).current.kid);
    await rotate();
    const dropped = await ring();

    await rotate();
    expect(await ring()).toEqual(dropped);
    state.now += 30 * DAY;
    await rotate();

    expect((await ring()).current).toEqual(dropped.next);
  });

  it('an emergency rotation replaces every key when all are named', async () => {
    const { rotate, publishedKids, drop, state } = await rotated();
    state.now += 30 * DAY;
    await rotate();
    const before = await publishedKids();

    await drop(...before);
    await rotate();

    const after = await publishedKids();
    expect(after).toHaveLength(2);
    expect(after.filter((kid) => before.includes(kid))).toEqual([]);
  });

  it('an emergency rotation wins over one that is under way, whatever its step and whichever key is named', async () => {
    const old = await ownRing(NOW / 1000 - 30 * 86_400);
    for (const lastStep of ['createSecret', 'setSecret', 'testSecret']) {
      for (const victim of ['current', 'next'] as const) {
        const { rotate, ring, publishedKids, drop, override, step } = await setUp(JSON.stringify(old));
        override(async (event) => {
          await step(event);
          if (event.Step === lastStep) throw new Error('stopped');
        });
        await expect(rotate()).rejects.toThrow('stopped');
        override(step);

        await drop(old[victim].kid);
        // A pending ring that would sign with the dropped key is given up; the next rotation makes another.
        if (victim === 'next') await expect(rotate()).rejects.toThrow('rotate again');
        await rotate();

        expect(await publishedKids()).not.toContain(old[victim].kid);
        const after = await ring();
        expect([after.current.kid, after.next.kid]).not.toContain(old[victim].kid);
        expect(await publishedKids()).toContain(after.current.kid);
      }
    }
  });

  it('an emergency rotation takes a retired key out of the set before its time', async () => {
    const { rotate, ring, publishedKids, drop, state } = await rotated();
    state.now += 30 * DAY;
    await rotate();
    const before = await ring();
    const [retired] = before.retired;

    await drop(retired?.kid ?? '');
    await rotate();

    expect(await publishedKids()).toEqual([before.current.kid, before.next.kid]);
    expect((await ring()).retired).toEqual([]);
  });
});

describe('the rotation function', () => {
  it('a rotation goes on from a ring that an operator made current, not from the one it made itself before', async () => {
    const { rotate, ring, secrets, state } = await setUp();
    await rotate();
    const byHand = await ownRing(NOW / 1000);
    await secrets.send(
      new PutSecretValueCommand({ SecretId: keyRingArn, SecretString: JSON.stringify(byHand) }),
    );
    state.now += 30 * DAY;

    await rotate();

    expect((await ring()).current).toEqual(byHand.next);
  });

  it('the rotation function refuses other secrets, unknown versions, and steps out of order', async () => {
    const { server, step, override, rotate } = await setUp();
    const event = { SecretId: keyRingArn, ClientRequestToken: '0'.repeat(32), Step: 'setSecret' };

    await expect(step({ ...event, SecretId: `${keyRingArn}-2` })).rejects.toThrow('no other secret');
    await expect(step(event)).rejects.toThrow('not being rotated');
    for (const Step of ['setSecret', 'testSecret', 'finishSecret', 'toString', '']) {
      override((given) => step({ ...given, Step }));
      await expect(server.rotate(keyRingArn), Step).rejects.toThrow(/createSecret comes first|no step/);
    }
    override(step);
    await rotate();
  });
});

describe('an emergency among running signers and verifiers', () => {
  it('running verifiers refuse the tokens of a dropped key within half a minute, and no other token', async () => {
    const { rotate, ring, published, drop, state, now, secrets } = await rotated();
    const signingKey = createSigningKeySource({ client: secrets, keyRingArn, now });
    const minter = createTokenMinter({ ...self, now, lifetimeSeconds: tokenLifetimeSeconds, signingKey });
    const verifier = createTokenVerifier({ ...self, now, keys: createKeySource({ load: published, now }) });
    const mint = async () => (await minter.mint({ userId: 'user', appid: 'wx1' })).token;
    const retired = await mint();
    state.now += 2 * DAY;
    await rotate();
    const condemned = await mint();
    await verifier.verify(condemned);

    await drop((await ring()).current.kid);
    await rotate();
    const { current } = await ring();

    const minted: { token: string; at: number }[] = [];
    const start = state.now;
    for (let second = 0; second <= 60; second++) {
      state.now = start + second * 1000;
      minted.push({ token: await mint(), at: second });
      await verifier.verify(retired);
    }
    // The verifier reads the new set in the background.
    await vi.waitFor(
      () => expect(verifier.verify(condemned)).rejects.toMatchObject({ reason: 'unknown_key' }),
      PATIENCE,
    );
    for (const { token, at } of minted) {
      if (at >= 30) expect((await verifier.verify(token)).userId).toBe('user');
      expect(decodeProtectedHeader(token).kid === current.kid, `minted after ${at} s`).toBe(at >= 30);
    }
  });
});

describe('the signing key', () => {
  it('the signing key is unavailable until there is a sound ring, and the error quotes nothing', async () => {
    for (const born of [placeholder, '{"current":"secret-material"', '{"current":{"d":"secret-material"}}']) {
      const { secrets, now } = await setUp(born);
      const signingKey = createSigningKeySource({ client: secrets, keyRingArn, now });

      const error: unknown = await signingKey().catch((reason: unknown) => reason);

      expect(error).toMatchObject({ code: 'unavailable', retryAfterSeconds: expect.any(Number) });
      expect(error).not.toHaveProperty('cause');
      expect(String((error as Error).stack)).not.toContain('secret-material');
    }
  });

  it('the signing key is unavailable while the secret cannot be read', async () => {
    const { secrets, now } = await setUp();
    const signingKey = createSigningKeySource({ client: secrets, keyRingArn: 'unknown', now });

    await expect(signingKey()).rejects.toMatchObject({
      code: 'unavailable',
      reason: 'the key ring cannot be read: ResourceNotFoundException',
    });
  });

  it('the signing key is read once, cannot be exported, and follows a rotation', async () => {
    const { rotate, ring, state, now, secrets } = await rotated();
    let reads = 0;
    secrets.middlewareStack.add(
      (next) => (args) => {
        reads++;
        return next(args);
      },
      { step: 'initialize' },
    );
    const signingKey = createSigningKeySource({ client: secrets, keyRingArn, now });
    const [before] = await Promise.all(Array.from({ length: 20 }, signingKey));
    expect(reads).toBe(1);
    expect(before?.key.extractable).toBe(false);
    state.now += 30 * DAY;
    await rotate();
    const { current } = await ring();

    expect((await signingKey()).kid).toBe(current.kid);
  });

  it('a signing key that is half a minute old is read again before it signs, even after a freeze', async () => {
    const { rotate, ring, state, now, secrets, drop } = await rotated();
    const signingKey = createSigningKeySource({ client: secrets, keyRingArn, now });
    const { kid: old } = await signingKey();
    await drop(old);
    await rotate();

    state.now += 30_000 - 1;
    const justBefore = await signingKey();
    state.now += 1;
    const due = await signingKey();

    expect(justBefore.kid).toBe(old);
    expect(due.kid).toBe((await ring()).current.kid);
  });

  it('the signing key is there for whoever waits as long as a failed read told them to', async () => {
    const { state, now, secrets } = await rotated();
    const signingKey = createSigningKeySource({ client: secrets, keyRingArn, now });
    let away = true;
    secrets.middlewareStack.add(
      (next) => (args) => (away ? Promise.reject(new Error('the service is away')) : next(args)),
      { step: 'initialize' },
    );
    await expect(signingKey()).rejects.toMatchObject({ code: 'unavailable', retryAfterSeconds: 2 });
    away = false;

    state.now += 2_000;

    expect(await signingKey()).toBeDefined();
  });

  it('the signing key is read again before it signs although the clock was set back', async () => {
    const { rotate, ring, state, now, secrets, drop } = await rotated();
    const signingKey = createSigningKeySource({ client: secrets, keyRingArn, now });
    const { kid: old } = await signingKey();
    await drop(old);
    await rotate();

    state.now -= 600_000;

    expect((await signingKey()).kid).toBe((await ring()).current.kid);
  });

  it('the signing key goes on signing for a quarter of an hour while the secret cannot be read, and not longer', async () => {
    const { state, now, secrets } = await rotated();
    const signingKey = createSigningKeySource({ client: secrets, keyRingArn, now });
    const held = await signingKey();
    secrets.middlewareStack.add(() => () => Promise.reject(new Error('the service is away')), {
      step: 'initialize',
    });

    state.now += 15 * 60_000 - 1;
    expect((await signingKey()).kid).toBe(held.kid);
    state.now += 5_001;

    await expect(signingKey()).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('the signing key is imported once for as long as it stays the same', async () => {
    const { state, now, secrets } = await rotated();
    const signingKey = createSigningKeySource({ client: secrets, keyRingArn, now });
    const { key } = await signingKey();
    state.now += HOUR;

    expect((await signingKey()).key).toBe(key);
  });
});
