/** A rotation that dies at any of its calls to AWS, which makes hundreds of them: `npm run test:unit` leaves it out. */
import { inspect } from 'node:util';
import type { RotationStep } from 'local-aws';
import { expect, it } from 'vitest';
import { publicJwks } from '../../../functions/keys/key-ring.ts';
import { NOW } from '../../fixtures/tokens.ts';
import { ownRing, placeholder, useRotation } from './rotation-parts.ts';

const setUp = useRotation();
type Parts = Awaited<ReturnType<typeof setUp>>;

const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;

/** A rotation of which so many steps are done, and the event of its steps. */
async function begin(start: () => Promise<Parts>, steps: number) {
  const parts = await start();
  const { override, rotate, step } = parts;
  const begun = new Promise<RotationStep>((resolve) => {
    override(async (event) => {
      resolve(event);
      throw new Error('stopped');
    });
  });
  await expect(rotate()).rejects.toThrow('stopped');
  override(step);
  const event = await begun;
  for (const Step of STEPS.slice(0, steps)) await step({ ...event, Step });
  return { ...parts, event };
}

/**
 * Has each step die at each of its calls, before or after that call arrives; resolves to how often. The rotation is run
 * again from each state that its writes can leave: whatever died before the first write has changed nothing, so the next
 * attempt follows it, and whatever died after as many writes as the attempt before has left the same.
 */
async function dieEverywhere(
  cut: 'before' | 'after',
  start: () => Promise<Parts>,
  expectEnd: (parts: Parts) => Promise<void>,
): Promise<number> {
  let died = 0;
  let rotation = await begin(start, 0);
  for (const [index, Step] of STEPS.entries()) {
    let writes = 0;
    for (let cutAt = 1; ; cutAt++) {
      const { state, step, event, rotate } = rotation;
      Object.assign(state, { calls: 0, writes: 0, cutAt, cut });
      const outcome = await step({ ...event, Step }).catch((error: unknown) => error);
      if (state.calls < cutAt) break;
      died++;
      expect(inspect(outcome)).toContain('cut off');
      if (state.writes === 0) continue;
      if (state.writes > writes) {
        writes = state.writes;
        await rotate();
        await expectEnd(rotation);
      }
      rotation = await begin(start, index);
    }
  }
  await expectEnd(rotation);
  return died;
}

it('a rotation that died at any call to AWS ends the same when it is run again, whether or not the call arrived', async () => {
  const old = await ownRing(NOW / 1000 - 30 * 86_400);
  const later = JSON.stringify(old);
  for (const [born, cut] of [
    [placeholder, 'after'],
    [later, 'before'],
    [later, 'after'],
  ] as const) {
    const died = await dieEverywhere(
      cut,
      () => setUp(born),
      async ({ ring, published }) => {
        const after = await ring();
        expect(after.retired.map(({ kid }) => kid)).toEqual(born === placeholder ? [] : [old.current.kid]);
        if (born !== placeholder) expect(after.current).toEqual(old.next);
        expect(await published()).toEqual(publicJwks(after));
      },
    );
    expect(died).toBeGreaterThan(20);
  }
});

it('an emergency rotation that was cut off at any call to AWS ends the same when it is run again', async () => {
  const old = await ownRing(NOW / 1000 - 30 * 86_400);
  const start = async () => {
    const parts = await setUp(JSON.stringify(old));
    await parts.drop(old.current.kid);
    return parts;
  };
  for (const cut of ['before', 'after'] as const) {
    const died = await dieEverywhere(cut, start, async ({ ring, published }) => {
      const after = await ring();
      expect(after.current).toEqual(old.next);
      expect(after.retired).toEqual([]);
      expect(await published()).toEqual(publicJwks(after));
    });
    expect(died).toBeGreaterThan(20);
  }
});
