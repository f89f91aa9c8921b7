import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { decodeJwt } from 'jose';
import { afterAll, afterEach, describe, expect, inject, it } from 'vitest';
import { openidGuardKey } from '../../functions/contracts/table.ts';
import type { MiniProgram } from '../../local/service.ts';
import { type PushMessage, type PushOptions, pushRequest, userDataEvent } from '../../local/wechat/push.ts';
import { type EmfDocument, emfDocuments } from '../fixtures/emf.ts';
import { localIdentity } from '../fixtures/users-table.ts';
import {
  breakWechat,
  expectCleanLogs,
  get,
  healWechat,
  logIn,
  newOpenid,
  post,
  send,
  tapPhoneButton,
  wxLogin,
} from './service.ts';

const database = DynamoDBDocumentClient.from(
  new DynamoDBClient({ endpoint: inject('dynamodbEndpoint'), ...localIdentity }),
);
const TableName = inject('usersTable');

afterEach(healWechat);
afterAll(() => {
  database.destroy();
  expectCleanLogs();
});

const linesSoFar = (): string[] => readFileSync(inject('logFile'), 'utf8').split('\n');

/** What CloudWatch would take from the log lines that an action has caused. */
async function metricsOf(act: () => Promise<unknown>): Promise<readonly EmfDocument[]> {
  const before = linesSoFar().length - 1;
  await act();
  return emfDocuments(linesSoFar().slice(before));
}

const document = (dimensions: Record<string, string>, metrics: Record<string, [number, string]>) => ({
  namespace: 'WechatLogin',
  dimensions: { service: 'wechat-login-dev', ...dimensions },
  metrics: Object.fromEntries(
    Object.entries(metrics).map(([name, [value, unit]]) => [name, { value, unit }]),
  ),
});
const counted = (metric: string, dimension: string, value: string) =>
  document({ [dimension]: value }, { [metric]: [1, 'Count'] });

const some: number = expect.any(Number);
const durations = (others: Record<string, [number, string]> = {}) =>
  document({}, { LoginDuration: [some, 'Milliseconds'], WechatDuration: [some, 'Milliseconds'], ...others });
const keyAge: Record<string, [number, string]> = { SigningKeyAge: [some, 'Seconds'] };

const decided = (decision: string) => counted('AuthorizerDecisions', 'decision', decision);
const refused = (reason: string) => counted('TokenRefusals', 'reason', reason);
const failed = (error: string) => counted('Failures', 'error', error);
const login = (outcome: string) => counted('Logins', 'outcome', outcome);
const exchange = (outcome: string) => counted('WechatExchanges', 'wechat_outcome', outcome);

describe('a login', () => {
  it('of a new and of a returning user is measured, and only the new one counts as such', async () => {
    const openid = newOpenid();
    const logInAgain = async () => post('/member/login', { code: await wxLogin({ openid }) });

    const [first, second] = [await metricsOf(logInAgain), await metricsOf(logInAgain)];

    expect(first).toEqual([login('ok'), durations({ ...keyAge, NewUsers: [1, 'Count'] }), exchange('ok')]);
    expect(second).toEqual([login('ok'), durations(keyAge), exchange('ok')]);
  });

  it('tells the age of its key like GET /health', async () => {
    const healthAge = async (): Promise<number> => (await get('/health')).body.data.key_age_seconds;

    const before = await healthAge();
    const [, measured] = await metricsOf(logIn);
    const after = await healthAge();

    const age = measured?.metrics.SigningKeyAge?.value ?? Number.NaN;
    expect(age).toBeGreaterThanOrEqual(before);
    expect(age).toBeLessThanOrEqual(after);
  });

  it('without a code counts, and nothing of WeChat', async () => {
    expect(await metricsOf(() => post('/member/login', {}))).toEqual([
      login('missing_code'),
      document({}, { LoginDuration: [some, 'Milliseconds'] }),
    ]);
  });

  it('with a code that arrives twice is ok, and its exchange is not', async () => {
    const code = await wxLogin();
    await post('/member/login', { code });

    expect(await metricsOf(() => post('/member/login', { code }))).toEqual([
      login('ok'),
      durations({ ...keyAge, RepeatedCodes: [1, 'Count'] }),
      exchange('code_used'),
    ]);
  });
});

describe('a fault of WeChat', () => {
  it.each([
    [{ fault: 'errcode', errcode: 40029 }, 'invalid_code'],
    [{ fault: 'errcode', errcode: 40163 }, 'code_used'],
    [{ fault: 'errcode', errcode: 40226 }, 'login_blocked'],
    [{ fault: 'errcode', errcode: 45011 }, 'rate_limited'],
    [{ fault: 'errcode', errcode: 40125 }, 'wechat_misconfigured'],
    [{ fault: 'http_502_html' }, 'wechat_unavailable'],
  ])('%o is counted as %s, with the time it took', async (fault, outcome) => {
    const code = await wxLogin();
    await breakWechat(fault);

    expect(await metricsOf(() => post('/member/login', { code }))).toEqual([
      login(outcome),
      durations(),
      exchange(outcome),
    ]);
  });
});

describe('a failure of ours', () => {
  it('that is a bug counts as internal, in the login as on the member routes', async () => {
    const openid = newOpenid();
    const logInAgain = async () => (await post('/member/login', { code: await wxLogin({ openid }) })).body;
    const { data } = await logInAgain();
    await damage(data.user_id, 'sex');

    expect(await metricsOf(logInAgain)).toEqual([
      login('internal'),
      durations(),
      exchange('ok'),
      failed('internal'),
    ]);
    expect(await metricsOf(() => get('/member/me', data.token))).toEqual([
      decided('allow'),
      failed('internal'),
    ]);
  });

  it('that may pass counts as unavailable', async () => {
    const openid = newOpenid();
    const code = await wxLogin({ openid });
    const { client_id: appid } = decodeJwt<{ client_id: string }>((await logIn()).token);
    const guardOfNobody = { pk: openidGuardKey(appid, openid), user_id: 'gone' };
    await database.send(new PutCommand({ TableName, Item: guardOfNobody }));

    expect(await metricsOf(() => post('/member/login', { code }))).toEqual([
      login('unavailable'),
      durations(),
      exchange('ok'),
      failed('unavailable'),
    ]);
  });
});

describe('the authorizer', () => {
  it('counts an allowed, a refused and a denied token, and why', async () => {
    const { token } = await logIn();
    const whoami = () => get('/whoami', token);
    const tampered = token.replace(/.{9}$/, 'AAAAAAAAA');

    expect(await metricsOf(whoami)).toEqual([decided('allow')]);
    expect(await metricsOf(() => get('/whoami', tampered))).toEqual([
      decided('refuse'),
      refused('bad_signature'),
    ]);
    await post('/member/logout', '', { authorization: `Bearer ${token}` });
    expect(await metricsOf(whoami)).toEqual([decided('deny'), refused('token_revoked')]);
  });

  it('counts it when there is no decision', async () => {
    const { user_id, token } = await logIn();
    await damage(user_id, 'status', 'damaged');

    expect(await metricsOf(() => get('/whoami', token))).toEqual([decided('none')]);
  });
});

async function damage(userId: string, attribute: string, damaged: unknown = 9): Promise<void> {
  await database.send(
    new UpdateCommand({
      TableName,
      Key: { pk: userId },
      UpdateExpression: 'SET #attribute = :damaged',
      ExpressionAttributeNames: { '#attribute': attribute },
      ExpressionAttributeValues: { ':damaged': damaged },
    }),
  );
}

describe('what is done with a member', () => {
  const erased = (by: string) => counted('Erasures', 'by', by);
  const told = (result: string) => counted('PushMessages', 'result', result);

  it('counts an erasure, and by whom', async () => {
    const { token } = await logIn();

    expect(await metricsOf(() => send('DELETE', '/member/me', token))).toEqual([
      decided('allow'),
      erased('member'),
    ]);
  });

  it('counts the messages of the push, and why one is refused', async () => {
    const [first, second] = inject('miniPrograms');
    const tell = (
      { appid, push: secrets }: MiniProgram,
      token: string,
      options: PushOptions,
      message: PushMessage = { MsgType: 'text', CreateTime: 1 },
    ) => {
      const url = `${inject('baseUrl')}/wechat/events/${appid}`;
      const target = { url, appid, token, encodingAesKey: secrets?.encodingAesKey || 'A'.repeat(43) };
      const request = pushRequest(target, message, options);
      return fetch(request.url, { method: 'POST', body: request.body });
    };
    const [token, otherToken] = [first.push?.token ?? '', second.push?.token ?? ''];
    const openid = newOpenid();
    await post('/member/login', { code: await wxLogin({ openid }) });
    const cancellation = userDataEvent(first.appid, 'user_authorization_cancellation', {
      openid,
      createTime: Math.floor(Date.now() / 1000),
    });

    const safe = { mode: 'safe' } as const;
    expect(await metricsOf(() => tell(first, token, safe))).toEqual([told('unknown')]);
    expect(await metricsOf(() => tell(first, 'another', {}))).toEqual([told('signature')]);
    expect(await metricsOf(() => tell(second, otherToken, safe))).toEqual([told('no_key')]);
    expect(await metricsOf(() => tell(first, token, { ...safe, fault: 'other_key' }))).toEqual([
      told('undecryptable'),
    ]);
    expect(await metricsOf(() => tell(first, token, safe, cancellation))).toEqual([
      erased('wechat'),
      told('acted'),
    ]);
  });

  it('counts an access token that cannot be fetched', async () => {
    const openid = newOpenid();
    // Not of the one whose token other tests need: after a failure it is left alone for ten seconds.
    const { appid } = inject('miniPrograms')[1];
    const { data } = (await post('/member/login', { code: await wxLogin({ openid, appid }), appid })).body;
    const code = await tapPhoneButton({ openid, phone: '13800138000', appid });
    await breakWechat({ route: 'getuserphonenumber', fault: 'errcode', errcode: 40001 });
    await breakWechat({ route: 'stable_token', fault: 'errcode', errcode: 45009 });

    const written = await metricsOf(() => send('POST', '/member/phone', data.token, { code }));

    expect(written).toContainEqual(document({}, { AccessTokenFailures: [1, 'Count'] }));
  });
});

describe('the alarms of the stack', () => {
  interface Resource {
    readonly Type: string;
    readonly Properties: Readonly<Record<string, unknown>>;
  }
  interface WatchedMetric {
    readonly Namespace: string;
    readonly MetricName: string;
    readonly Dimensions: readonly { readonly Name: string; readonly Value: string }[];
  }

  const template = JSON.parse(
    readFileSync(join(inject('assembly'), 'WechatLogin-dev.template.json'), 'utf8'),
  );
  const resourcesOf = (type: string): readonly Resource[] =>
    Object.values<Resource>(template.Resources).filter(({ Type }) => Type === type);

  const sentence = (name: string, dimensions: Readonly<Record<string, string>>): string =>
    `${name} of ${Object.entries(dimensions)
      .map(([dimension, value]) => `${dimension}=${value}`)
      .sort()
      .join(', ')}`;

  it('watch only what the requests above have really written, under exactly these names', () => {
    const watched = resourcesOf('AWS::CloudWatch::Alarm')
      .flatMap(({ Properties: alarm }) => [
        alarm as unknown as WatchedMetric,
        ...((alarm.Metrics ?? []) as { MetricStat?: { Metric: WatchedMetric } }[]).flatMap(
          ({ MetricStat }) => MetricStat?.Metric ?? [],
        ),
      ])
      .filter(({ Namespace }) => Namespace === 'WechatLogin')
      .map(({ MetricName, Dimensions }) =>
        sentence(MetricName, Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, Value]))),
      );
    const written = emfDocuments(linesSoFar()).flatMap(({ dimensions, metrics }) =>
      Object.keys(metrics).map((name) => sentence(name, dimensions)),
    );
    // These are made out of the API's access log, which API Gateway writes.
    const counted = resourcesOf('AWS::Logs::MetricFilter').flatMap(({ Properties }) =>
      (Properties.MetricTransformations as { MetricName: string }[]).map(({ MetricName }) =>
        sentence(MetricName, { service: 'wechat-login-dev' }),
      ),
    );

    expect(watched.length).toBeGreaterThan(10);
    expect(watched.filter((metric) => !written.includes(metric) && !counted.includes(metric))).toEqual([]);
  });
});
