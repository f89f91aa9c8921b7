import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAccessTokens } from '../../../functions/wechat/access-token.ts';
import { createCode2Session } from '../../../functions/wechat/code2session.ts';
import { WechatError } from '../../../functions/wechat/errcodes.ts';
import { appid, connectTo, endToken, otherAppid, setUp } from './token-routes.ts';

let service: Awaited<ReturnType<typeof setUp>>;
beforeEach(async () => {
  service = await setUp();
});
afterEach(() => service.close());

const give = (of = appid) => service.accessTokens.withAccessToken(of, async (token) => token);
const fetches = () => service.wechat.calls('stable_token').count;
const MINUTE = 60_000;

/** A call that WeChat refuses for its token, whatever the token. */
const refusing = (errcode: number, seen: string[] = []) => ({
  seen,
  call: async (token: string): Promise<string> => {
    seen.push(token);
    throw new WechatError('wechat_unavailable', { reason: 'refused', errcode });
  },
});

describe('an access token', () => {
  it('is fetched when it is first needed, once, and kept', async () => {
    expect(fetches()).toBe(0);

    const tokens = await Promise.all(Array.from({ length: 20 }, () => give()));
    service.clock.ms += 100 * MINUTE;
    tokens.push(await give());

    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).toMatch(/^99_.{100,}$/);
    expect(fetches()).toBe(1);
  });

  it('is replaced before its end, by one fetch however many wait for it', async () => {
    const first = await give();
    service.clock.ms += 116 * MINUTE;

    const later = await Promise.all([give(), give(), give()]);

    expect(new Set(later).size).toBe(1);
    expect(later[0]).not.toBe(first);
    expect(fetches()).toBe(2);
  });

  it('that WeChat gives with little time left is replaced in time too', async () => {
    await give();
    service.clock.ms += 110 * MINUTE;
    const { accessTokens, clock, connection } = service;
    // Another environment, which starts when ten minutes are left.
    const other = createAccessTokens({
      connection,
      appSecrets: { secretFor: async () => service.known[appid] ?? '', renewedSecretFor: async () => '' },
      now: () => clock.ms,
    });
    const shared = await other.withAccessToken(appid, async (token) => token);
    expect(shared).toBe(await accessTokens.withAccessToken(appid, async (token) => token));

    clock.ms += 6 * MINUTE;

    expect(await other.withAccessToken(appid, async (token) => token)).not.toBe(shared);
  });

  it('is used on while its replacement cannot be fetched, and never after its end', async () => {
    const first = await give();
    service.wechat.setFault({ fault: 'errcode', errcode: 45011, route: 'stable_token' });
    service.clock.ms += 117 * MINUTE;
    expect(await give()).toBe(first);

    service.clock.ms += 3 * MINUTE;

    expect((await service.failureOf(give(), first)).code).toBe('rate_limited');
  });

  it('of one mini-program is never used for another', async () => {
    const [mine, other] = await Promise.all([give(), give(otherAppid)]);

    expect(mine).not.toBe(other);
    expect([await give(), await give(otherAppid)]).toEqual([mine, other]);
    expect(fetches()).toBe(2);
  });

  it('works with an AppSecret that was reset a moment ago', async () => {
    service.known[appid] = '00000000000000000000000000000000';

    expect(await give()).toMatch(/^99_/);
    expect(fetches()).toBe(2);
  });
});

describe('an access token that cannot be fetched', () => {
  it.each([
    [45009, 'rate_limited'],
    [45011, 'rate_limited'],
    [40001, 'wechat_misconfigured'],
    [40013, 'wechat_misconfigured'],
    [40125, 'wechat_misconfigured'],
    [40164, 'wechat_misconfigured'],
    [40243, 'wechat_misconfigured'],
    [50004, 'wechat_misconfigured'],
    [50007, 'wechat_misconfigured'],
    [89503, 'wechat_misconfigured'],
    [89506, 'wechat_misconfigured'],
    [89507, 'wechat_misconfigured'],
    [-1, 'wechat_unavailable'],
    [41002, 'wechat_unavailable'],
    [99999, 'wechat_unavailable'],
  ])('for errcode %i is %s', async (errcode, code) => {
    service.wechat.setFault({ fault: 'errcode', errcode, route: 'stable_token' });

    expect(await service.failureOf(give())).toMatchObject({ code, errcode });
  });

  it.each(['not_json', 'empty', 'truncated', 'array_body', 'http_502_html', 'oversized'] as const)(
    'for %s is wechat_unavailable',
    async (fault) => {
      service.wechat.setFault({ fault, route: 'stable_token' });

      expect((await service.failureOf(give(), '99_')).code).toBe('wechat_unavailable');
    },
  );

  it('is never kept as one: there is a new attempt soon, and not with every call before', async () => {
    service.wechat.setFault({ fault: 'errcode', errcode: 40164, route: 'stable_token' });
    for (let call = 0; call < 5; call += 1) await service.failureOf(give());
    expect(fetches()).toBe(1);

    service.wechat.clearFaults();
    service.clock.ms += 10_000;

    expect(await give()).toMatch(/^99_/);
  });

  it('fails no login', async () => {
    service.wechat.setFault({ fault: 'hang', route: 'stable_token' });

    const session = await createCode2Session(service.connection)({
      appid,
      secret: service.known[appid] ?? '',
      code: service.wechat.issueCode({ openid: 'oAlice' }),
    });

    expect(session.openid).toBe('oAlice');
    expect(fetches()).toBe(0);
  });

  it('is also one with a token or a lifetime that cannot be one', async () => {
    const good = { access_token: 'token', expires_in: 7200 };
    for (const answer of [
      {},
      { ...good, access_token: '' },
      { ...good, access_token: null },
      { ...good, access_token: 'with space' },
      { ...good, access_token: 'x'.repeat(2_049) },
      ...[0, -1, 1.5, '', 'soon', null, undefined, 1e300].map((expires_in) => ({ ...good, expires_in })),
    ]) {
      const { connection, close } = await connectTo((_, response) => {
        response.end(JSON.stringify(answer));
      });

      const tokens = createAccessTokens({ connection, appSecrets: fixedSecrets, now: () => 0 });
      const error = await service.failureOf(tokens.withAccessToken(appid, async (token) => token));
      close();

      expect(error.code, JSON.stringify(answer)).toBe('wechat_unavailable');
    }
  });
});

describe('an access token that WeChat refuses', () => {
  it.each([40001, 42001, 40014])('with %i is renewed once, and the call made once more', async (errcode) => {
    const first = await give();
    await endToken(service.wechat);
    const seen: string[] = [];

    const used = await service.accessTokens.withAccessToken(appid, async (token) => {
      seen.push(token);
      if (token === first) throw new WechatError('wechat_unavailable', { reason: 'refused', errcode });
      return token;
    });

    expect(seen).toEqual([first, used]);
    expect(used).not.toBe(first);
    expect(await give()).toBe(used);
  });

  it('is renewed once for all calls that had it', async () => {
    const first = await give();
    const fetchesBefore = fetches();
    await endToken(service.wechat);
    const call = async (token: string): Promise<string> =>
      token === first ? refusing(42001).call(token) : token;

    const used = await Promise.all(
      Array.from({ length: 50 }, () => service.accessTokens.withAccessToken(appid, call)),
    );

    expect(new Set(used).size).toBe(1);
    expect(fetches() - fetchesBefore).toBe(2);
  });

  it('long after it was renewed is not renewed for that', async () => {
    const first = await give();
    const late = Promise.withResolvers<void>();
    const refuseFirst = async (token: string): Promise<string> =>
      token === first ? refusing(42001).call(token) : token;
    const slow = service.accessTokens.withAccessToken(appid, async (token) => {
      if (token === first) await late.promise;
      return refuseFirst(token);
    });
    await endToken(service.wechat);
    const renewed = await service.accessTokens.withAccessToken(appid, refuseFirst);
    const fetchesBefore = fetches();
    service.clock.ms += 2 * MINUTE;
    late.resolve();

    expect(await slow).toBe(renewed);
    expect(fetches()).toBe(fetchesBefore);
  });

  it('is not used again when the renewal gives the same one', async () => {
    const { seen, call } = refusing(40001);

    const error = await service.failureOf(service.accessTokens.withAccessToken(appid, call));

    expect(error.errcode).toBe(40001);
    expect(seen).toHaveLength(1);
    expect(fetches()).toBe(2);
  });

  it('again and again is renewed at most once a minute', async () => {
    const { call } = refusing(40001);
    await give();
    const before = fetches();

    for (let second = 0; second < 120; second += 1) {
      await service.failureOf(service.accessTokens.withAccessToken(appid, call));
      service.clock.ms += 1_000;
    }

    expect(fetches() - before).toBe(2);
  });

  it('for another reason is not renewed', async () => {
    const { seen, call } = refusing(40013);

    await service.failureOf(service.accessTokens.withAccessToken(appid, call));

    expect(seen).toHaveLength(1);
    expect(fetches()).toBe(1);
  });

  it('is never put back: one fetch is under way at a time, and what it brings is newer', async () => {
    let fetching = 0;
    let most = 0;
    let issued = 0;
    let ms = 0;
    const { connection, close } = await connectTo((_, response) => {
      fetching += 1;
      most = Math.max(most, fetching);
      issued += 1;
      const body = JSON.stringify({ access_token: `token-${issued}`, expires_in: 600 });
      setTimeout(() => {
        fetching -= 1;
        response.end(body);
      }, issued % 5);
    });
    const tokens = createAccessTokens({ connection, appSecrets: fixedSecrets, now: () => ms });
    const seen: number[] = [];
    // Every other token is refused, while others find it old.
    const use = () =>
      tokens.withAccessToken(appid, async (token) => {
        const number = Number(token.slice('token-'.length));
        seen.push(number);
        return number % 2 === 1 ? refusing(40001).call(token) : token;
      });

    for (let round = 0; round < 60; round += 1) {
      await Promise.allSettled([use(), use(), use()]);
      ms += 50_000;
    }
    close();

    expect(most).toBe(1);
    expect(issued).toBeGreaterThan(10);
    expect(Math.max(...seen)).toBe(issued);
    expect(seen.at(-1)).toBe(issued);
  });
});

const fixedSecrets = { secretFor: async () => 's', renewedSecretFor: async () => 's' };
