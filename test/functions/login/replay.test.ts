import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asDomainError } from '../../../functions/errors/domain-error.ts';
import { createLogIn, type LoginTrace } from '../../../functions/login/log-in.ts';
import { createSpentCodes } from '../../../functions/login/spent-codes.ts';
import { createTokenMinter } from '../../../functions/tokens/mint.ts';
import { createRevocations } from '../../../functions/tokens/revocations.ts';
import { createAdministration } from '../../../functions/users/administer.ts';
import { createUsers } from '../../../functions/users/find-or-create.ts';
import { WechatError, wechatErrorOf } from '../../../functions/wechat/errcodes.ts';
import { AUDIENCE, createTestKey, ISSUER, type TestKey } from '../../fixtures/tokens.ts';
import { startUsersTable, type UsersTable } from '../../fixtures/users-table.ts';

const START = Date.UTC(2026, 10, 20, 12) + 500;
const appid = 'wx0123456789abcdef';
const order = { by: 'arn:aws:sts::123456789012:assumed-role/Support/li', reason: 'ticket 7' };

let table: UsersTable;
let key: TestKey;
beforeAll(async () => {
  [table, key] = await Promise.all([startUsersTable(), createTestKey()]);
});
afterAll(() => table.stop());

/** What the first request with the code has come to when something happens to its user. */
type First = 'running' | 'done' | 'failed';
type Happening = 'nothing' | 'logout' | 'logout of everything' | 'revoke' | 'ban' | 'erase';
/** What WeChat says to the repetition. */
type Wechat = '40163' | '40029' | 'lost';

let people = 0;

/** Somebody who has logged in before, whose next code is about to arrive twice. */
async function setUp({ returning = true } = {}) {
  const openid = `oOPENID${++people}`;
  let time = START;
  let duringWait = async () => {};
  let tableIsAway = false;
  const { client } = table.connect(async ({ command }, proceed) => {
    if (tableIsAway && (command === 'Query' || command === 'TransactWriteItems'))
      throw Object.assign(new Error('away'), { $metadata: {}, $fault: 'server' });
    return proceed();
  });
  const parts = {
    client,
    tableName: table.tableName,
    now: () => time,
    async sleep(ms: number) {
      time += ms;
      await duringWait();
    },
  };
  const revocations = createRevocations(parts);
  const administration = createAdministration({ ...parts, revocations });

  async function logIn(which: string, answer: () => Promise<{ openid: string }>) {
    const trace: LoginTrace = {};
    const code = `${which}-of-${openid}`;
    const logInWith = createLogIn({
      wechat: { code2Session: async () => ({ ...(await answer()), host: 'wechat.example' }) },
      appSecrets: { secretFor: async () => 'secret', renewedSecretFor: async () => 'secret' },
      users: createUsers(parts),
      spentCodes: createSpentCodes({ ...parts, windowSeconds: 60 }),
      revocations,
      tokens: createTokenMinter({
        ...{ signingKey: async () => key, issuer: ISSUER, audience: AUDIENCE, lifetimeSeconds: 604_800 },
        now: parts.now,
      }),
      now: parts.now,
    });
    try {
      const result = await logInWith({ appid, code, profile: { username: '', sex: 0, avatar: '' } }, trace);
      const { sid, auth_time: authTime } = decodeJwt<{ sid: string; auth_time: number }>(result.token);
      return { result: 'ok', userId: result.user_id, sid, authTime, trace };
    } catch (error) {
      return { result: asDomainError(error).code, trace };
    }
  }

  const exchanged = async () => ({ openid });
  const wechatSays: Record<Wechat, () => Promise<never>> = {
    '40163': async () => {
      throw wechatErrorOf(40163, '', 'wechat.example');
    },
    '40029': async () => {
      throw wechatErrorOf(40029, '', 'wechat.example');
    },
    lost: async () => {
      throw new WechatError('wechat_unavailable', { reason: 'no answer' });
    },
  };
  const earlier = returning ? await logIn('earlier', exchanged) : undefined;
  time += 3_000;

  /** The first request with the code, up to where it has come; `finish` lets it end. */
  async function begin(first: First) {
    let letAnswerArrive = () => {};
    const onItsWay = new Promise<void>((resolve) => {
      letAnswerArrive = resolve;
    });
    tableIsAway = first === 'failed';
    const request = logIn('code', async () => {
      if (first === 'running') await onItsWay;
      return { openid };
    });
    if (first !== 'running') await request;
    tableIsAway = false;
    const finish = async () => {
      letAnswerArrive();
      return request;
    };
    return { finish };
  }

  async function happen(what: Happening, sid: string | undefined, userId: string) {
    switch (what) {
      case 'nothing':
        return;
      case 'logout':
        return revocations.endLogin({ loginId: sid ?? '', authTime: Math.floor(START / 1000) });
      case 'logout of everything':
        return revocations.revokeAllTokens(userId);
      default:
        expect(await administration[what](userId, order)).toBe(true);
    }
  }

  const repeat = async (wechat: Wechat, meanwhile = async () => {}) => {
    duringWait = meanwhile;
    time += 2_000;
    return logIn('code', wechatSays[wechat]);
  };
  const usersOfOpenid = async () => (await table.items()).filter((item) => item.openid === openid).length;
  const logInAnew = () => logIn('another', exchanged);
  const tick = (ms: number) => {
    time += ms;
  };
  return { earlier, begin, happen, repeat, usersOfOpenid, logInAnew, tick };
}

describe('a code that arrives again', () => {
  // A logout names a login by its token: until the first request has given one, it can only end an earlier login.
  const rows: [First, Happening, on40163: string, on40029: string][] = [
    ['running', 'nothing', 'ok', 'invalid_code'],
    ['running', 'logout', 'ok', 'invalid_code'],
    ['running', 'logout of everything', 'code_used', 'invalid_code'],
    ['running', 'revoke', 'code_used', 'invalid_code'],
    ['running', 'ban', 'user_banned', 'invalid_code'],
    ['running', 'erase', 'code_used', 'invalid_code'],
    ['done', 'nothing', 'ok', 'ok'],
    ['done', 'logout', 'code_used', 'code_used'],
    ['done', 'logout of everything', 'code_used', 'code_used'],
    ['done', 'revoke', 'code_used', 'code_used'],
    ['done', 'ban', 'user_banned', 'user_banned'],
    ['done', 'erase', 'code_used', 'code_used'],
    ['failed', 'nothing', 'ok', 'ok'],
    ['failed', 'logout', 'ok', 'ok'],
    ['failed', 'logout of everything', 'code_used', 'code_used'],
    ['failed', 'revoke', 'code_used', 'code_used'],
    ['failed', 'ban', 'user_banned', 'user_banned'],
    ['failed', 'erase', 'code_used', 'code_used'],
  ];
  const cases = rows.flatMap(([first, happening, on40163, on40029]): [First, Happening, Wechat, string][] => [
    [first, happening, '40163', on40163],
    [first, happening, '40029', on40029],
    [first, happening, 'lost', 'wechat_unavailable'],
  ]);

  it.each(cases)(
    'first request %s, then %s, WeChat says %s: %s',
    async (first, happening, wechat, result) => {
      const { earlier, begin, happen, repeat, usersOfOpenid } = await setUp();
      const began = Math.floor(START / 1000) + 3;
      const { finish } = await begin(first);
      const own = first === 'done' ? await finish() : undefined;
      await happen(happening, own?.sid ?? earlier?.sid, earlier?.userId ?? '');

      // A twin that waits sees the first request end meanwhile.
      const repeated = await repeat(wechat, async () => {
        await finish();
      });
      const ended = await finish();

      expect(repeated.result).toBe(result);
      if (result === 'ok') expect(repeated).toMatchObject({ userId: earlier?.userId, authTime: began });
      if (result === 'ok' && ended.result === 'ok') expect(repeated.sid).toBe(ended.sid);
      // Whoever was erased while their first request ran is made anew by that request alone.
      expect(await usersOfOpenid()).toBe(happening === 'erase' && first !== 'running' ? 0 : 1);
    },
  );

  it('makes the user whom its first request failed to make, in the login of that request', async () => {
    const { begin, repeat, usersOfOpenid } = await setUp({ returning: false });
    await begin('failed');

    const repeated = await repeat('40163');

    expect(repeated).toMatchObject({
      ...{ result: 'ok', authTime: Math.floor(START / 1000) + 3, trace: { is_new: true } },
    });
    expect(await repeat('40029')).toMatchObject({ result: 'ok', sid: repeated.sid });
    expect(await usersOfOpenid()).toBe(1);
  });

  it('does not log in as the new user who came after the erasure', async () => {
    const { begin, happen, repeat, earlier, usersOfOpenid, logInAnew } = await setUp();
    await begin('done');
    await happen('erase', undefined, earlier?.userId ?? '');
    expect(await logInAnew()).toMatchObject({ result: 'ok', trace: { is_new: true } });

    expect(await repeat('40163')).toMatchObject({ result: 'code_used' });
    expect(await usersOfOpenid()).toBe(1);
  });

  it('of a login whose answer WeChat never gave is refused, after one wait for all repetitions', async () => {
    const { repeat } = await setUp();
    let waits = 0;
    const count = async () => {
      waits += 1;
    };

    expect(await repeat('40163', count)).toMatchObject({ result: 'code_used' });
    const once = waits;
    expect(await repeat('40163', count)).toMatchObject({ result: 'code_used' });

    expect(once).toBeGreaterThan(0);
    expect(waits).toBe(once);
  });

  it('opens nothing after the window', async () => {
    const { begin, repeat, tick } = await setUp();
    await begin('done');
    tick(60_000);

    expect(await repeat('40163')).toMatchObject({ result: 'code_used' });
    expect(await repeat('40029')).toMatchObject({ result: 'invalid_code' });
  });
});
