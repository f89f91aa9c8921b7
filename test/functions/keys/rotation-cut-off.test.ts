/** A rotation that dies at any of its calls to AWS, which makes hundreds of them: `npm run test:unit` leaves it out. */
import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { publicJwks } from '../../../functions/keys/key-ring.ts';
import { NOW } from '../../fixtures/tokens.ts';
import { ownRing, placeholder, useRotation } from './rotation-parts.ts';

const setUp = useRotation();

it('a rotation that died at any call to AWS ends the same when it is run again, whether or not the call arrived', async () => {
  const old = await ownRing(NOW / 1000 - 30 * 86_400);
  const later = JSON.stringify(old);
  for (const [born, cut] of [
    [placeholder, 'after'],
    [later, 'before'],
    [later, 'after'],
  ] as const) {
    let died = 0;
    for (let cutAt = 1; ; cutAt++) {
      const { rotate, ring, published, state } = await setUp(born);
      Object.assign(state, { cutAt, cut });
      const outcome = await rotate().catch((error: unknown) => error);
      if (state.calls < cutAt) break;
      died++;
      expect(inspect(outcome)).toContain('cut off');
      await rotate();

      const after = await ring();
      expect(after.retired.map(({ kid }) => kid)).toEqual(born === placeholder ? [] : [old.current.kid]);
      if (born !== placeholder) expect(after.current).toEqual(old.next);
      expect(await published()).toEqual(publicJwks(after));
    }
    expect(died).toBeGreaterThan(10);
  }
});

it('an emergency rotation that was cut off at any call to AWS ends the same when it is run again', async () => {
  const old = await ownRing(NOW / 1000 - 30 * 86_400);
  for (const cut of ['before', 'after'] as const) {
    for (let cutAt = 1; ; cutAt++) {
      const { rotate, ring, published, drop, state } = await setUp(JSON.stringify(old));
      await drop(old.current.kid);
      Object.assign(state, { cutAt, cut });
      await rotate().catch((error: unknown) => expect(inspect(error)).toContain('cut off'));
      if (state.calls < cutAt) break;
      await rotate();

      const after = await ring();
      expect(after.current).toEqual(old.next);
      expect(after.retired).toEqual([]);
      expect(await published()).toEqual(publicJwks(after));
    }
  }
});
