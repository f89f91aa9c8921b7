import type { APIGatewayProxyEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { DomainError } from '../../../functions/errors/domain-error.ts';
import { observeFailures } from '../../../functions/http/failure-metrics.ts';
import { createHttpHandler } from '../../../functions/http/handler.ts';
import { createLogIn, type LogInDependencies } from '../../../functions/login/log-in.ts';
import { observeLogins } from '../../../functions/login/login-metrics.ts';
import { createLoginRoute } from '../../../functions/login/login-route.ts';
import { WechatError, type WechatErrorCode } from '../../../functions/wechat/errcodes.ts';
import { recordMetrics } from '../../fixtures/recorded-metrics.ts';

const OPENID = 'oSecretOpenid';
const CODE = '0secretcode';
const TOKEN = 'secret.to.ken';

const user = {
  userId: 'user-1',
  appid: 'wx1',
  openid: OPENID,
  username: '',
  sex: 0,
  avatar: '',
  status: 'active',
  lastLoginAt: 0,
} as const;

const fail = (error: Error) => async () => {
  throw error;
};
const refusal = (code: WechatErrorCode, errcode?: number) =>
  new WechatError(code, { reason: 'refused', ...(errcode !== undefined && { errcode }) });

interface Parts {
  readonly code2Session: LogInDependencies['wechat']['code2Session'];
  readonly secretFor: LogInDependencies['appSecrets']['secretFor'];
  readonly renewedSecretFor: LogInDependencies['appSecrets']['renewedSecretFor'];
  readonly awaitTwin: LogInDependencies['spentCodes']['awaitTwin'];
  readonly findOrCreateUser: LogInDependencies['users']['findOrCreateUser'];
  readonly mint: LogInDependencies['tokens']['mint'];
}

const working: Parts = {
  code2Session: async () => ({ openid: OPENID, host: 0 }),
  secretFor: async () => 'secret',
  renewedSecretFor: async () => 'secret',
  awaitTwin: async () => undefined,
  findOrCreateUser: async () => ({ user, isNew: false }),
  mint: async () => ({ token: TOKEN, jti: 'j', expiresIn: 1, expiresAt: 1, keyAgeSeconds: 86_400 }),
};

/** One login over HTTP with these parts; what the metrics and the log were told of it. */
async function logIn(parts: Partial<Parts>, body: object = { code: CODE }) {
  const { code2Session, secretFor, renewedSecretFor, awaitTwin, findOrCreateUser, mint } = {
    ...working,
    ...parts,
  };
  const { metrics, calls } = recordMetrics();
  const lines: object[] = [];
  const log = (_message: string, fields: object) => lines.push(fields);
  const route = createLoginRoute({
    logIn: createLogIn({
      wechat: { code2Session },
      appSecrets: { secretFor, renewedSecretFor },
      users: { findOrCreateUser },
      spentCodes: { awaitTwin, remember: async () => {} },
      tokens: { prepare() {}, mint },
    }),
    appids: ['wx1'],
  });
  const handler = createHttpHandler(
    { 'POST /member/login': route, 'POST /member/refresh': route },
    { info: log, error: log },
    [observeFailures(metrics), observeLogins(metrics)],
  );
  const call = (resource: string) =>
    handler({
      httpMethod: 'POST',
      resource,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      requestContext: { requestId: 'request-1' },
    } as unknown as APIGatewayProxyEvent);
  await call('/member/login');
  return { recorded: calls, lines, call };
}

const duration = expect.any(Number);
const took = { LoginDuration: duration, WechatDuration: duration };

describe('a login', () => {
  it('is counted and measured, and so is what WeChat did', async () => {
    const { recorded } = await logIn({});

    expect(recorded).toEqual([
      ['Logins', 'ok'],
      { ...took, SigningKeyAge: 86_400 },
      ['WechatExchanges', 'ok'],
    ]);
  });

  it('that creates its user counts the user, also when it fails afterwards', async () => {
    const findOrCreateUser = async () => ({ user, isNew: true });

    const { recorded } = await logIn({ findOrCreateUser });
    const { recorded: failed } = await logIn({
      findOrCreateUser,
      mint: fail(new DomainError('unavailable')),
    });

    expect(recorded[1]).toEqual({ ...took, SigningKeyAge: 86_400, NewUsers: 1 });
    expect(failed).toEqual([
      ['Failures', 'unavailable'],
      ['Logins', 'unavailable'],
      { ...took, NewUsers: 1 },
      ['WechatExchanges', 'ok'],
    ]);
  });

  it.each([
    'invalid_code',
    'code_used',
    'login_blocked',
    'rate_limited',
    'wechat_unavailable',
    'wechat_misconfigured',
  ] as const)('that WeChat ends with %s is no failure of ours', async (code) => {
    const { recorded } = await logIn({ code2Session: fail(refusal(code)) });

    expect(recorded).toEqual([['Logins', code], took, ['WechatExchanges', code]]);
  });

  it('with a repeated code is ok, and its exchange is not', async () => {
    const { recorded } = await logIn({
      code2Session: fail(refusal('code_used', 40163)),
      awaitTwin: async () => ({ openid: OPENID }),
    });

    expect(recorded).toEqual([
      ['Logins', 'ok'],
      { ...took, SigningKeyAge: 86_400 },
      ['WechatExchanges', 'code_used'],
    ]);
  });

  it('does not count the wait for a twin as time of WeChat', async () => {
    const { recorded } = await logIn({
      code2Session: fail(refusal('code_used', 40163)),
      awaitTwin: async () => {
        await new Promise((resolve) => setTimeout(resolve, 60));
        return { openid: OPENID };
      },
    });

    const { LoginDuration = 0, WechatDuration = 0 } = recorded[1] as Record<string, number>;
    expect(LoginDuration).toBeGreaterThan(50);
    expect(WechatDuration).toBeLessThan(LoginDuration - 40);
  });

  it('without a code counts, and WeChat was not asked', async () => {
    const { recorded } = await logIn({}, {});

    expect(recorded).toEqual([['Logins', 'missing_code'], { LoginDuration: duration }]);
  });

  it('without an AppSecret is misconfigured, though nobody has asked WeChat', async () => {
    const { recorded } = await logIn({ secretFor: fail(refusal('wechat_misconfigured')) });

    expect(recorded).toEqual([
      ['Logins', 'wechat_misconfigured'],
      { LoginDuration: duration },
      ['WechatExchanges', 'wechat_misconfigured'],
    ]);
  });

  it('whose AppSecret cannot be read says nothing about WeChat', async () => {
    const { recorded } = await logIn({ secretFor: fail(new DomainError('unavailable')) });

    expect(recorded).toEqual([
      ['Failures', 'unavailable'],
      ['Logins', 'unavailable'],
      { LoginDuration: duration },
    ]);
  });

  it('whose AppSecret was renewed in between is one ok exchange that took both calls', async () => {
    const { recorded } = await logIn({
      code2Session: async ({ secret }) => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        if (secret !== 'new') throw refusal('wechat_misconfigured', 40125);
        return { openid: OPENID, host: 0 };
      },
      renewedSecretFor: async () => 'new',
    });

    expect(recorded[2]).toEqual(['WechatExchanges', 'ok']);
    expect((recorded[1] as Record<string, number>).WechatDuration).toBeGreaterThan(50);
  });

  it('whose refused AppSecret cannot be renewed still says what WeChat has said', async () => {
    const { recorded } = await logIn({
      code2Session: fail(refusal('wechat_misconfigured', 40125)),
      renewedSecretFor: fail(new DomainError('unavailable')),
    });

    expect(recorded).toEqual([
      ['Failures', 'unavailable'],
      ['Logins', 'unavailable'],
      took,
      ['WechatExchanges', 'wechat_misconfigured'],
    ]);
  });

  it('that meets a bug is an internal failure', async () => {
    const { recorded } = await logIn({ findOrCreateUser: fail(new TypeError(`${OPENID} is no user`)) });

    expect(recorded.slice(0, 2)).toEqual([
      ['Failures', 'internal'],
      ['Logins', 'internal'],
    ]);
  });

  it('tells neither the log nor the metrics its code, its token or the openid', async () => {
    for (const parts of [{}, { findOrCreateUser: fail(new TypeError(`${OPENID} ${CODE}`)) }]) {
      const { recorded, lines } = await logIn(parts);

      expect(lines).toHaveLength(1);
      for (const secret of [OPENID, CODE, TOKEN])
        expect(JSON.stringify([recorded, lines])).not.toContain(secret);
    }
  });
});

describe('another route', () => {
  it('of the same function is no login, and its failures count all the same', async () => {
    const { recorded, call } = await logIn({ mint: fail(new DomainError('unavailable')) });
    recorded.length = 0;

    await call('/member/refresh');
    await call('/member/unknown');

    expect(recorded).toEqual([['Failures', 'unavailable']]);
  });
});
