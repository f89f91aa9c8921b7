import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitingPlaceKey } from '../../../functions/contracts/table.ts';
import { CLOCK_TOLERANCE_SECONDS } from '../../../functions/contracts/token.ts';
import { createSpentCodes, WAITING_PLACES } from '../../../functions/login/spent-codes.ts';
import { startUsersTable, type UsersTable } from '../../fixtures/users-table.ts';

const START = Date.UTC(2026, 0, 1);
const appid = 'wx0123456789abcdef';
const exchange = {
  identity: { openid: 'oOPENID', unionid: 'oUNIONID' },
  exchangedAt: START / 1000,
  sid: 'login-1',
};

let table: UsersTable;
beforeAll(async () => {
  table = await startUsersTable();
});
afterAll(() => table.stop());

/** Spent codes with a clock that only sleeping and `tick` move. */
function setUp({
  windowSeconds = 60,
  onSleep = async () => {},
}: {
  windowSeconds?: number;
  onSleep?: (ms: number) => Promise<void>;
} = {}) {
  const { client, commands } = table.connect();
  let time = START;
  const pauses: number[] = [];
  const codes = createSpentCodes({
    client,
    tableName: table.tableName,
    windowSeconds,
    now: () => time,
    async sleep(ms) {
      time += ms;
      pauses.push(ms);
      await onSleep(ms);
    },
  });
  const tick = (ms: number) => {
    time += ms;
  };
  return { codes, commands, pauses, tick };
}

describe('spent codes', () => {
  it('recall the exchange of a code, with and without a unionid', async () => {
    const { codes } = setUp();
    const openidOnly = { ...exchange, identity: { openid: 'oOPENID' } };
    await codes.remember({ appid, code: 'both' }, exchange);
    await codes.remember({ appid, code: 'openid-only' }, openidOnly);

    expect(await codes.recall({ appid, code: 'both' })).toEqual(exchange);
    expect(await codes.recall({ appid, code: 'openid-only' })).toEqual(openidOnly);
  });

  it('are read consistently, because the twin may have written them a moment ago', async () => {
    const reads: unknown[] = [];
    const { client } = table.connect(({ input }, proceed) => {
      reads.push((input as { ConsistentRead?: boolean }).ConsistentRead);
      return proceed();
    });
    const codes = createSpentCodes({
      client,
      tableName: table.tableName,
      windowSeconds: 60,
      now: () => START,
    });

    await codes.recall({ appid, code: 'any' });

    expect(reads).toEqual([true]);
  });

  it('know a code only for the mini-program it came from', async () => {
    const { codes } = setUp();
    await codes.remember({ appid, code: 'bound' }, exchange);

    expect(await codes.recall({ appid: 'wxfedcba9876543210', code: 'bound' })).toBeUndefined();
    expect(await codes.recall({ appid, code: 'other' })).toBeUndefined();
  });

  it('store the hash of a code, and nothing that names the person', async () => {
    const { codes } = setUp();
    await codes.remember({ appid, code: 'cleartext-code' }, exchange);

    const items = await table.items();
    for (const secret of ['cleartext-code', 'oOPENID', 'oUNIONID'])
      expect(JSON.stringify(items)).not.toContain(secret);
    for (const item of items) {
      expect(Object.keys(item).sort()).not.toContain('openid');
      expect(item.pk).toMatch(/^code#[0-9a-f]{64}$/);
    }
    const [item] = items.filter(({ sealed_identity }) => sealed_identity !== undefined);
    expect(Object.keys(item ?? {}).sort()).toEqual([
      'exchanged_at',
      'expires_at',
      'pk',
      'sealed_identity',
      'sid',
    ]);
  });

  it('forget at the end of the window although DynamoDB still has the item', async () => {
    const { codes, tick } = setUp();
    await codes.remember({ appid, code: 'expiring' }, exchange);

    tick(59_999);
    expect(await codes.recall({ appid, code: 'expiring' })).toEqual(exchange);
    tick(1);
    expect(await codes.recall({ appid, code: 'expiring' })).toBeUndefined();
    expect((await table.items()).length).toBeGreaterThan(0);
  });

  it('keep nothing, and nobody from waiting, after the clock was set back', async () => {
    const { codes, tick } = setUp();
    await codes.remember({ appid, code: 'stepped' }, exchange);
    tick(-CLOCK_TOLERANCE_SECONDS * 1000);
    expect(await codes.recall({ appid, code: 'stepped' })).toEqual(exchange);
    tick(-1);
    expect(await codes.recall({ appid, code: 'stepped' })).toBeUndefined();

    for (let place = 0; place < WAITING_PLACES; place++)
      await table.put({ pk: waitingPlaceKey(place), expires_at: START / 1000 + 7_200 + 4 });
    const at = (ms: number) => {
      const setting = setUp();
      setting.tick(ms);
      return setting;
    };
    const waiting = at(7_200_000);
    await waiting.codes.awaitTwin({ appid, code: 'finds-no-place' });
    expect(waiting.pauses).toHaveLength(2);
    const stepped = at(7_200_000 - 600_000);
    await stepped.codes.awaitTwin({ appid, code: 'waits-all-the-same' });
    expect(stepped.pauses.length).toBeGreaterThan(2);
  });

  it('wait for a twin that is still in flight', async () => {
    const twin = setUp().codes;
    const { codes, pauses } = setUp({
      async onSleep() {
        if (pauses.length === 3) await twin.remember({ appid, code: 'in-flight' }, exchange);
      },
    });

    expect(await codes.awaitTwin({ appid, code: 'in-flight' })).toEqual(exchange);
    expect(pauses).toHaveLength(3);
  });

  it('do not wait when the record is there', async () => {
    const { codes, pauses } = setUp();
    await codes.remember({ appid, code: 'there' }, exchange);

    expect(await codes.awaitTwin({ appid, code: 'there' })).toEqual(exchange);
    expect(pauses).toEqual([]);
  });

  it('give up on a twin after two and a half seconds of growing pauses', async () => {
    const { codes, pauses, commands } = setUp();

    expect(await codes.awaitTwin({ appid, code: 'lonely' })).toBeUndefined();

    expect(pauses.reduce((sum, ms) => sum + ms, 0)).toBe(2_500);
    expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
    expect(commands).toEqual([...'GGG', ...'PP', ...'GGGG'].map((c) => (c === 'G' ? 'GetItem' : 'PutItem')));
  });

  it('wait for a dead code once, and answer at once from then on, after the window too', async () => {
    const { codes } = setUp();
    await codes.awaitTwin({ appid, code: 'dead' });

    for (const later of [0, 61_000]) {
      const { codes: again, pauses, commands, tick } = setUp();
      tick(later);
      expect(await again.awaitTwin({ appid, code: 'dead' })).toBeUndefined();
      expect(pauses).toEqual([]);
      expect(commands).toEqual(['GetItem']);
    }
  });

  it('do not wait for a code whose record has expired: its twin is done', async () => {
    const { codes, pauses, tick } = setUp();
    await codes.remember({ appid, code: 'over' }, exchange);
    tick(60_000);

    expect(await codes.awaitTwin({ appid, code: 'over' })).toBeUndefined();
    expect(pauses).toEqual([]);
  });

  it('know the twin that comes after the wait was given up', async () => {
    const { codes } = setUp();
    await codes.awaitTwin({ appid, code: 'slow-twin' });
    await codes.remember({ appid, code: 'slow-twin' }, exchange);

    expect(await codes.recall({ appid, code: 'slow-twin' })).toEqual(exchange);
    expect(await codes.awaitTwin({ appid, code: 'slow-twin' })).toEqual(exchange);
  });

  it('find the twin that comes between the last look and the mark of the wait', async () => {
    const twin = setUp().codes;
    let first = true;
    const pauses: number[] = [];
    const { client } = table.connect(async ({ command }, proceed) => {
      if (command === 'PutItem' && first) {
        first = false;
        await twin.remember({ appid, code: 'just-now' }, exchange);
      }
      return proceed();
    });
    const codes = createSpentCodes({
      ...{ client, tableName: table.tableName, windowSeconds: 60, now: () => START },
      sleep: async (ms) => pauses.push(ms),
    });

    expect(await codes.awaitTwin({ appid, code: 'just-now' })).toEqual(exchange);
    expect(pauses).toEqual([50, 100]);
  });

  it('let only so many wait at a time, over all environments, and the rest not long', async () => {
    let waiting = 0;
    let most = 0;
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let short = 0;
    const waits = Array.from({ length: 5 * WAITING_PLACES }, async (_, n) => {
      const codes = createSpentCodes({
        ...{
          client: table.client,
          tableName: table.tableName,
          windowSeconds: 60,
          now: () => START + 3_600_000,
        },
        async sleep(ms) {
          if (ms <= 100) return;
          most = Math.max(most, ++waiting);
          await released;
          waiting -= 1;
        },
      });
      expect(await codes.awaitTwin({ appid, code: `many-${n}` })).toBeUndefined();
      short += 1;
    });
    // Whoever has no place is through while the others still wait.
    while (short + waiting < 5 * WAITING_PLACES) await new Promise((resolve) => setTimeout(resolve, 10));
    release();
    await Promise.all(waits);

    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(WAITING_PLACES);
  });

  it('really pause when no other clock is given', async () => {
    const arrived = { appid, code: 'real-time' };
    const shared = { tableName: table.tableName, windowSeconds: 60, now: () => START };
    const reads: number[] = [];
    const { client } = table.connect(async (_request, proceed) => {
      if (reads.push(performance.now()) === 3)
        await createSpentCodes({ ...shared, client: table.client }).remember(arrived, exchange);
      return proceed();
    });

    expect(await createSpentCodes({ ...shared, client }).awaitTwin(arrived)).toEqual(exchange);

    expect((reads[2] ?? 0) - (reads[0] ?? 0)).toBeGreaterThan(145);
  });

  it('neither read nor write when the window is 0', async () => {
    const { codes, commands, pauses } = setUp({ windowSeconds: 0 });

    await codes.remember({ appid, code: 'off' }, exchange);
    expect(await codes.recall({ appid, code: 'off' })).toBeUndefined();
    expect(await codes.awaitTwin({ appid, code: 'off' })).toBeUndefined();

    expect(commands).toEqual([]);
    expect(pauses).toEqual([]);
  });

  it('report a failing table as unavailable without the code or the openid', async () => {
    const { client } = table.connect();
    const codes = createSpentCodes({ client, tableName: 'missing', windowSeconds: 60, now: () => START });
    const arrived = { appid, code: 'cleartext-code' };

    for (const call of [
      () => codes.remember(arrived, exchange),
      () => codes.recall(arrived),
      () => codes.awaitTwin(arrived),
    ]) {
      const error = await call().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({ code: 'unavailable' });
      const text = inspect(error, { depth: 10, showHidden: true });
      expect(text).not.toMatch(/cleartext-code|oOPENID|oUNIONID/);
    }
  });
});
