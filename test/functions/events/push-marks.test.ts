import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPushMarks } from '../../../functions/events/push-marks.ts';
import { type Intercept, startUsersTable, type UsersTable } from '../../fixtures/users-table.ts';

const MINUTE = 60_000;

let table: UsersTable;
beforeAll(async () => {
  table = await startUsersTable();
});
afterAll(() => table.stop());

let keys = 0;
/** Marks with a clock of their own, and a key that no other test uses. */
function setUp(intercept?: Intercept) {
  let time = Date.UTC(2026, 0, 1);
  const { client } = table.connect(intercept);
  const marks = createPushMarks({ client, tableName: table.tableName, now: () => time });
  const acts: string[] = [];
  const act = (name: string) => async () => {
    acts.push(name);
  };
  const tick = (ms: number) => {
    time += ms;
  };
  keys += 1;
  return { marks, key: `key-${keys}`, acts, act, tick };
}

const unavailable = { code: 'unavailable' };

describe('mayServe', () => {
  it('lets a signature serve again for the same, and for nothing else', async () => {
    const { marks, key } = setUp();

    expect(await marks.mayServe(key, 'a')).toBe(true);
    expect(await marks.mayServe(key, 'a')).toBe(true);
    expect(await marks.mayServe(key, 'b')).toBe(false);
    expect(await marks.mayServe(`${key}-other`, 'b')).toBe(true);
  });

  it('remembers it as long as the timestamp may be accepted, early and late', async () => {
    const { marks, key, tick } = setUp();
    await marks.mayServe(key, 'a');
    tick(10 * MINUTE);

    expect(await marks.mayServe(key, 'b')).toBe(false);

    tick(2 * MINUTE);
    expect(await marks.mayServe(key, 'b')).toBe(true);
  });

  it('lets one of many serve that come at the same time', async () => {
    const { marks, key } = setUp();

    const served = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((use) => marks.mayServe(key, use)));

    expect(served.filter(Boolean)).toHaveLength(1);
  });
});

describe('once', () => {
  it('acts once for an identity within a day', async () => {
    const { marks, key, act, acts, tick } = setUp();

    expect(await marks.once(key, act('first'))).toBe('acted');
    tick(23 * 60 * MINUTE);
    expect(await marks.once(key, act('second'))).toBe('repeated');
    expect(await marks.once(`${key}-other`, act('other'))).toBe('acted');
    expect(acts).toEqual(['first', 'other']);
  });

  it('acts again after a failure, and lets the failure through', async () => {
    const { marks, key, act, acts } = setUp();
    const failure = new Error('the table is away');

    await expect(marks.once(key, () => Promise.reject(failure))).rejects.toBe(failure);

    expect(await marks.once(key, act('again'))).toBe('acted');
    expect(acts).toEqual(['again']);
  });

  it('does not call done what another call is still about to do', async () => {
    const { marks, key, act, acts } = setUp();
    const first = Promise.withResolvers<void>();
    const slow = marks.once(key, () => first.promise);
    await expect.poll(() => table.item(`push#${key}`)).toBeDefined();

    await expect(marks.once(key, act('twin'))).rejects.toMatchObject(unavailable);

    first.resolve();
    expect(await slow).toBe('acted');
    expect(await marks.once(key, act('late'))).toBe('repeated');
    expect(acts).toEqual([]);
  });

  it("lets WeChat's next try act when an environment died while it acted", async () => {
    const { marks, key, act, acts, tick } = setUp();
    void marks.once(key, () => new Promise(() => {}));
    await expect.poll(() => table.item(`push#${key}`)).toBeDefined();
    tick(5_000);

    expect(await marks.once(key, act('next try'))).toBe('acted');
    expect(acts).toEqual(['next try']);
  });

  it('acts once of many at the same time', async () => {
    const { marks, key, act, acts } = setUp();

    await Promise.allSettled(Array.from({ length: 10 }, () => marks.once(key, act('one'))));

    expect(acts).toEqual(['one']);
  });

  it('knows its own claim when the response to it was lost and the SDK wrote it again', async () => {
    const { marks, key, act } = setUp(async ({ command }, proceed) => {
      if (command === 'PutItem') await proceed().catch(() => {});
      return proceed();
    });

    expect(await marks.once(key, act('it'))).toBe('acted');
  });
});

it('is unavailable when the table cannot be reached', async () => {
  const { marks, key, act, acts } = setUp(() => {
    throw Object.assign(new Error('down'), { name: 'TimeoutError', $metadata: {} });
  });

  await expect(marks.mayServe(key, 'a')).rejects.toMatchObject(unavailable);
  await expect(marks.once(key, act('it'))).rejects.toMatchObject(unavailable);
  expect(acts).toEqual([]);
});
