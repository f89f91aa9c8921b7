import { describe, expect, it } from 'vitest';
import { createRefreshedValue } from '../../../functions/cache/refreshed-value.ts';
import { DomainError } from '../../../functions/errors/domain-error.ts';

function setUp(options: Partial<Parameters<typeof createRefreshedValue<number>>[0]> = {}) {
  const source = { loads: 0, fail: false, frozenOnly: false, hold: undefined as Promise<void> | undefined };
  const clock = { ms: 0 };
  const value = createRefreshedValue({
    load: async () => {
      source.loads += 1;
      const mine = source.loads;
      const { hold } = source;
      await hold;
      if (source.fail && (hold !== undefined || source.frozenOnly !== true))
        throw new Error('source is down');
      return mine;
    },
    refreshAfterMs: 100,
    cooldownMs: 30,
    now: () => clock.ms,
    ...options,
  });
  return { source, clock, value };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('createRefreshedValue', () => {
  it('loads on the first read and keeps the value while it is young', async () => {
    const { source, clock, value } = setUp();

    expect(await value.get()).toBe(1);
    clock.ms = 99;
    expect(await value.get()).toBe(1);
    expect(source.loads).toBe(1);
  });

  it('lets a value say itself from which age it is stale, and from which it is of no use', async () => {
    const { source, clock, value } = setUp({
      refreshAfterMs: (loaded) => loaded * 100,
      maxAgeMs: (loaded) => loaded * 200,
    });
    await value.get();
    clock.ms = 100;
    expect(await value.get()).toBe(1);
    await settle();

    clock.ms = 299;
    expect(await value.get()).toBe(2);
    expect(source.loads).toBe(2);
    source.fail = true;
    clock.ms = 500;
    await expect(value.get()).rejects.toThrow('source is down');
  });

  it('shares one load among readers who come at once', async () => {
    const { source, value } = setUp();

    expect(await Promise.all([value.get(), value.get(), value.refresh()])).toEqual([1, 1, 1]);
    expect(source.loads).toBe(1);
  });

  it('gives the old value at once and refreshes it in the background', async () => {
    const { clock, value } = setUp();
    await value.get();

    clock.ms = 100;
    expect(await value.get()).toBe(1);
    await settle();
    expect(await value.get()).toBe(2);
  });

  it('goes on giving the old value while the source is down, until the maximum age', async () => {
    const { source, clock, value } = setUp({ maxAgeMs: 1_000 });
    await value.get();
    source.fail = true;

    clock.ms = 999;
    expect(await value.get()).toBe(1);
    await settle();
    clock.ms = 1_050;
    await expect(value.get()).rejects.toThrow('source is down');
    source.fail = false;
    clock.ms = 1_100;
    expect(await value.get()).toBeGreaterThan(1);
  });

  it('waits for the refresh of a stale value where that is wanted, and gives the new value', async () => {
    const { clock, value } = setUp({ whileStale: 'wait' });
    await value.get();

    clock.ms = 100;
    expect(await value.get()).toBe(2);
  });

  it('gives the stale value when the refresh that it waited for fails', async () => {
    const { source, clock, value } = setUp({ whileStale: 'wait' });
    await value.get();
    source.fail = true;

    clock.ms = 100;
    expect(await value.get()).toBe(1);
    expect(source.loads).toBe(2);
  });

  it('makes no second attempt within the cool-down, not even after a failure', async () => {
    const { source, clock, value } = setUp();
    source.fail = true;

    await expect(value.get()).rejects.toThrow('source is down');
    clock.ms = 29;
    await expect(value.get()).rejects.toThrow('source is down');
    await expect(value.refresh()).rejects.toThrow('source is down');
    expect(source.loads).toBe(1);
    clock.ms = 30;
    await expect(value.get()).rejects.toThrow('source is down');
    expect(source.loads).toBe(2);
  });

  it('counts the cool-down from the start of an attempt', async () => {
    const { source, clock, value } = setUp();
    let release = () => {};
    source.hold = new Promise((resolve) => {
      release = resolve;
    });
    const first = value.get();
    clock.ms = 25;
    release();
    await first;

    clock.ms = 29;
    await value.refresh();
    expect(source.loads).toBe(1);
    clock.ms = 30;
    await value.refresh();
    expect(source.loads).toBe(2);
  });

  describe('with a load that failed and told how long to wait', () => {
    async function fail(retryAfterSeconds: number, cooldownMs: number) {
      let loads = 0;
      const clock = { ms: 0 };
      const value = createRefreshedValue({
        load: async () => {
          loads += 1;
          if (loads === 1) throw new DomainError('unavailable', { retryAfterSeconds });
          return loads;
        },
        refreshAfterMs: 60_000,
        cooldownMs,
        now: () => clock.ms,
      });
      await expect(value.get()).rejects.toMatchObject({ retryAfterSeconds });
      return { clock, value };
    }

    it.each(['get', 'refresh'] as const)(
      'serves a %s after a failure once its Retry-After has passed',
      async (read) => {
        const { clock, value } = await fail(2, 10_000);

        clock.ms = 1_999;
        await expect(value[read]()).rejects.toMatchObject({ retryAfterSeconds: 2 });
        clock.ms = 2_000;
        expect(await value[read]()).toBe(2);
      },
    );

    it('does not cool down longer than it would for a Retry-After that is longer', async () => {
      const { clock, value } = await fail(60, 10_000);

      clock.ms = 10_000;
      expect(await value.get()).toBe(2);
    });
  });

  describe('when the clock is set back', () => {
    it('tries again after a failure when the clock was set back', async () => {
      const { source, clock, value } = setUp();
      clock.ms = 1_000_000;
      source.fail = true;
      await expect(value.get()).rejects.toThrow('source is down');
      source.fail = false;

      clock.ms = 400_000;

      expect(await value.get()).toBe(2);
    });

    it('does not take an old value for young when the clock was set back', async () => {
      const { clock, value } = setUp({ maxAgeMs: 1_000 });
      clock.ms = 1_000_000;
      await value.get();

      clock.ms = 400_000;

      expect(await value.get()).toBe(2);
    });

    it('keeps a value without a maximum age when the clock was set back, and refreshes behind it', async () => {
      const { source, clock, value } = setUp();
      clock.ms = 1_000_000;
      await value.get();
      source.fail = true;

      clock.ms = 400_000;
      expect(await value.get()).toBe(1);
      await settle();
      source.fail = false;
      clock.ms = 400_030;
      expect(await value.get()).toBe(1);
      await settle();

      expect(await value.get()).toBe(3);
    });

    it('looks again at once for a reader who knows better when the clock was set back', async () => {
      const { clock, value } = setUp();
      clock.ms = 1_000_000;
      await value.get();

      clock.ms = 400_000;

      expect(await value.refresh()).toBe(2);
    });
  });

  describe('with a load that was frozen together with its environment', () => {
    async function freeze(options: { maxAgeMs?: number } = {}) {
      const { source, clock, value } = setUp({ maxAgeMs: 1_000, ...options });
      await value.get();
      let thaw = () => {};
      source.hold = new Promise((resolve) => {
        thaw = resolve;
      });
      clock.ms = 500;
      expect(await value.get()).toBe(1);
      source.hold = undefined;
      return { source, clock, value, thaw };
    }

    it('loads again when a load that was frozen with its environment fails', async () => {
      const { source, clock, value, thaw } = await freeze();
      clock.ms = 1_000_000;
      Object.assign(source, { fail: true, frozenOnly: true });

      const reading = Promise.all([value.get(), value.get(), value.refresh()]);
      thaw();

      expect(await reading).toEqual([3, 3, 3]);
    });

    it('does not take for new what a load brings that was frozen with its environment', async () => {
      const { source, clock, value, thaw } = await freeze();
      clock.ms = 1_000_000;

      const reading = value.get();
      thaw();

      expect(await reading).toBe(3);
      expect(source.loads).toBe(3);
    });

    it('loads again after a frozen load for a reader who knows that the value has changed', async () => {
      const { clock, value, thaw } = await freeze();
      clock.ms = 600;

      const reading = value.refresh();
      thaw();

      expect(await reading).toBe(3);
    });
  });
});
