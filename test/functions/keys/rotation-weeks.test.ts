/** Weeks of rotations with a thousand tokens verified: `npm run test:unit` leaves them out. */
import { decodeProtectedHeader } from 'jose';
import { expect, it } from 'vitest';
import { createSigningKeySource } from '../../../functions/keys/signing-key.ts';
import { createKeySource } from '../../../functions/keys/verification-keys.ts';
import { createTokenMinter, type MintedToken } from '../../../functions/tokens/mint.ts';
import { createTokenVerifier } from '../../../functions/tokens/verify.ts';
import { AUDIENCE, ISSUER, NOW } from '../../fixtures/tokens.ts';
import { keyRingArn, useRotation } from './rotation-parts.ts';

const HOUR = 3_600_000;
const tokenLifetimeSeconds = 7 * 86_400;
const self = { issuer: ISSUER, audience: AUDIENCE };

const setUp = useRotation();

/** The oldest and the newest token of each key: whether those between are valid hangs on nothing else. */
function endsOfKeys(tokens: readonly MintedToken[]): MintedToken[] {
  const kids = tokens.map(({ token }) => decodeProtectedHeader(token).kid);
  return tokens.filter((_, index) => kids[index - 1] !== kids[index] || kids[index + 1] !== kids[index]);
}

it.each([
  { everyDays: 10, rotations: 4, retiredAtTheEnd: 1 },
  { everyDays: 2, rotations: 10, retiredAtTheEnd: 4 },
])(
  'every $everyDays days no valid token is refused, even by a verifier that reads the set twelve hours late, and retired keys end',
  async ({ everyDays, rotations, retiredAtTheEnd }) => {
    const { rotate, ring, published, state, now, secrets } = await setUp();
    await rotate();
    const minter = createTokenMinter({
      ...self,
      now,
      lifetimeSeconds: tokenLifetimeSeconds,
      signingKey: createSigningKeySource({ client: secrets, keyRingArn, now }),
    });
    const prompt = createTokenVerifier({ ...self, now, keys: createKeySource({ load: published, now }) });
    let lateSet = await published();
    const late = () =>
      createTokenVerifier({ ...self, now, keys: createKeySource({ load: async () => lateSet, now }) });
    const seenKids = new Set<string>();
    let alive: MintedToken[] = [];
    const dead: string[] = [];

    for (let hours = 12; hours <= rotations * everyDays * 24; hours += 12) {
      state.now = NOW + hours * HOUR;
      alive.push(await minter.mint({ userId: `user-${hours}`, appid: 'wx1' }));
      if (hours % (everyDays * 24) === 0) await rotate();
      // A signer that has not noticed the rotation yet.
      alive.push(await minter.mint({ userId: `user-${hours}-late`, appid: 'wx1' }));
      const expired = ({ expiresAt }: MintedToken) => expiresAt * 1000 <= state.now - 5_000;
      dead.push(...alive.filter(expired).map(({ token }) => token));
      alive = alive.filter((minted) => !expired(minted));
      const lateVerifier = late();
      for (const { token } of endsOfKeys(alive)) {
        await prompt.verify(token);
        await lateVerifier.verify(token);
      }
      const set = (await published()) as { keys: Record<string, string>[] };
      expect(set.keys.length).toBeLessThanOrEqual(10);
      for (const key of set.keys) {
        expect(Object.keys(key)).toEqual(['kid', 'alg', 'use', 'kty', 'n', 'e']);
        seenKids.add(key.kid ?? '');
      }
      lateSet = set;
    }

    expect(seenKids.size).toBe(2 + rotations);
    expect((await ring()).retired).toHaveLength(retiredAtTheEnd);
    for (const token of dead.slice(0, 5)) {
      await expect(prompt.verify(token)).rejects.toMatchObject({ reason: 'unknown_key' });
    }
    for (const token of dead)
      await expect(prompt.verify(token)).rejects.toMatchObject({ code: 'unauthorized' });
  },
);
