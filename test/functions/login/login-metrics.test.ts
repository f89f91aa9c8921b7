import type { APIGatewayProxyEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import type { WechatErrorCode } from '../../../functions/contracts/errors.ts';
import { DomainError } from '../../../functions/errors/domain-error.ts';
import { createHttpHandler } from '../../../functions/http/handler.ts';
import { createLogIn, type LogInOptions } from '../../../functions/login/log-in.ts';
import { measureLogins } from '../../../functions/login/login-metrics.ts';
import { createLoginRoute } from '../../../functions/login/login-route.ts';
import { WechatError } from '../../../functions/wechat/errcodes.ts';
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

const exchange = { identity: { openid: OPENID }, exchangedAt: 1, sid: 'login-1' };

const fail = (error: Error) => async () => {
  throw error;
};
const refusal = (code: WechatErrorCode, errcode?: number) =>
  new WechatError(code, { reason: 'refused', ...(errcode !== undefined && { errcode }) });

interface Parts {
  readonly code2Session: LogInOptions['wechat']['code2Session'];
  readonly secretFor: LogInOptions['appSecrets']['secretFor'];
  readonly renewedSecretFor: LogInOptions['appSecrets']['renewedSecretFor'];
  readonly awaitTwin: LogInOptions['spentCodes']['awaitTwin'];
  readonly findOrCreateUser: LogInOptions['users']['findOrCreateUser'];
  readonly statusOf: LogInOptions['revocations']['statusOf'];
  readonly mint: LogInOptions['tokens']['mint'];
}

const working: Parts = {
  code2Session: async () => ({ openid: OPENID, host: 'wechat.example' }),
  secretFor: async () => 'secret',
  renewedSecretFor: async () => 'secret',
  awaitTwin: async () => undefined,
  findOrCreateUser: async () => ({ user, isNew: false }),
  statusOf: async () => 'active',
  mint: async () => ({ token: TOKEN, jti: 'j', expiresIn: 1, expiresAt: 1, keyAgeSeconds: 86_400 }),
};

/** One login over HTTP with these parts; what the metrics and the log were told of it. */
async function logIn(parts: Partial<Parts>, body: object = { code: CODE }) {
  const { code2Session, secretFor, renewedSecretFor, awaitTwin, findOrCreateUser, statusOf, mint } = {
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
      spentCodes: { awaitTwin, recall: async () => undefined, remember: async () => {} },
      revocations: { statusOf },
      tokens: { prepare() {}, mint },
      now: Date.now,
    }),
    appids: ['wx1'],
    observe: measureLogins(metrics),
  });
  const handler = createHttpHandler({ 'POST /member/login': route }, { info: log, error: log }, metrics);
  await handler({
    httpMethod: 'POST',
    resource: '/member/login',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    requestContext: { requestId: 'request-1' },
  } as unknown as APIGatewayProxyEvent);
  return { recorded: calls, lines };
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

  it('says in its log line which of WeChat’s hosts answered, also when that refused the code', async () => {
    const answered = await logIn({ code2Session: async () => ({ openid: OPENID, host: 'wechat.example' }) });
    const refused = await logIn({
      code2Session: fail(
        new WechatError('invalid_code', { reason: 'refused', errcode: 40029, host: 'wechat.example' }),
      ),
    });

    expect(answered.lines).toMatchObject([
      { outcome: 'ok', wechat_outcome: 'ok', wechat_host: 'wechat.example' },
    ]);
    expect(refused.lines).toMatchObject([
      {
        outcome: 'invalid_code',
        wechat_outcome: 'invalid_code',
        wechat_errcode: 40029,
        wechat_host: 'wechat.example',
      },
    ]);
  });

  it('counts the user it creates, also when it fails afterwards', async () => {
    const findOrCreateUser = async () => ({ user, isNew: true });

    const { recorded } = await logIn({ findOrCreateUser });
    const { recorded: failed } = await logIn({
      findOrCreateUser,
      mint: fail(new DomainError('unavailable')),
    });

    expect(recorded[1]).toEqual({ ...took, SigningKeyAge: 86_400, NewUsers: 1 });
    expect(failed).toEqual([
      ['Logins', 'unavailable'],
      { ...took, NewUsers: 1 },
      ['WechatExchanges', 'ok'],
      ['Failures', 'unavailable'],
    ]);
  });

  it.each([
    'invalid_code',
    'code_used',
    'login_blocked',
    'rate_limited',
    'wechat_unavailable',
    'wechat_misconfigured',
  ] as const)('is no failure of ours when WeChat ends it with %s', async (code) => {
    const { recorded } = await logIn({ code2Session: fail(refusal(code)) });

    expect(recorded).toEqual([['Logins', code], took, ['WechatExchanges', code]]);
  });

  it('is ok when its code is a repeated one, and its exchange is not', async () => {
    const { recorded } = await logIn({
      code2Session: fail(refusal('code_used', 40163)),
      awaitTwin: async () => exchange,
    });

    expect(recorded).toEqual([
      ['Logins', 'ok'],
      { ...took, SigningKeyAge: 86_400, RepeatedCodes: 1 },
      ['WechatExchanges', 'code_used'],
    ]);
  });

  it('counts a repeated code whose login has ended, too', async () => {
    const { recorded } = await logIn({
      code2Session: fail(refusal('code_used', 40163)),
      awaitTwin: async () => exchange,
      statusOf: async () => 'token_revoked',
    });

    expect(recorded).toEqual([
      ['Logins', 'code_used'],
      { ...took, RepeatedCodes: 1 },
      ['WechatExchanges', 'code_used'],
    ]);
  });

  it('does not count the wait for a twin request as time of WeChat', async () => {
    const { recorded } = await logIn({
      code2Session: fail(refusal('code_used', 40163)),
      awaitTwin: async () => {
        await new Promise((resolve) => setTimeout(resolve, 60));
        return exchange;
      },
    });

    const { LoginDuration = 0, WechatDuration = 0 } = recorded[1] as Record<string, number>;
    expect(LoginDuration).toBeGreaterThan(50);
    expect(WechatDuration).toBeLessThan(LoginDuration - 40);
  });

  it('counts without a code, and WeChat is not called', async () => {
    const { recorded } = await logIn({}, {});

    expect(recorded).toEqual([['Logins', 'missing_code'], { LoginDuration: duration }]);
  });

  it('counts as misconfigured without an AppSecret, though WeChat is not called', async () => {
    const { recorded } = await logIn({ secretFor: fail(refusal('wechat_misconfigured')) });

    expect(recorded).toEqual([
      ['Logins', 'wechat_misconfigured'],
      { LoginDuration: duration },
      ['WechatExchanges', 'wechat_misconfigured'],
    ]);
  });

  it('says nothing about WeChat when its AppSecret cannot be read', async () => {
    const { recorded } = await logIn({ secretFor: fail(new DomainError('unavailable')) });

    expect(recorded).toEqual([
      ['Logins', 'unavailable'],
      { LoginDuration: duration },
      ['Failures', 'unavailable'],
    ]);
  });

  it('is one ok exchange that took both calls when its AppSecret was renewed in between', async () => {
    const { recorded } = await logIn({
      code2Session: async ({ secret }) => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        if (secret !== 'new') throw refusal('wechat_misconfigured', 40125);
        return { openid: OPENID, host: 'wechat.example' };
      },
      renewedSecretFor: async () => 'new',
    });

    expect(recorded[2]).toEqual(['WechatExchanges', 'ok']);
    expect((recorded[1] as Record<string, number>).WechatDuration).toBeGreaterThan(50);
  });

  it('still says what WeChat has said when a refused AppSecret cannot be renewed', async () => {
    const { recorded } = await logIn({
      code2Session: fail(refusal('wechat_misconfigured', 40125)),
      renewedSecretFor: fail(new DomainError('unavailable')),
    });

    expect(recorded).toEqual([
      ['Logins', 'unavailable'],
      took,
      ['WechatExchanges', 'wechat_misconfigured'],
      ['Failures', 'unavailable'],
    ]);
  });

  it('is an internal failure when it meets a bug', async () => {
    const { recorded } = await logIn({ findOrCreateUser: fail(new TypeError(`${OPENID} is no user`)) });

    expect(recorded[0]).toEqual(['Logins', 'internal']);
    expect(recorded.at(-1)).toEqual(['Failures', 'internal']);
  });

  it('puts its code, its token and the openid neither into the log nor into the metrics', async () => {
    for (const parts of [{}, { findOrCreateUser: fail(new TypeError(`${OPENID} ${CODE}`)) }]) {
      const { recorded, lines } = await logIn(parts);

      expect(lines).toHaveLength(1);
      for (const secret of [OPENID, CODE, TOKEN])
        expect(JSON.stringify([recorded, lines])).not.toContain(secret);
    }
  });
});
