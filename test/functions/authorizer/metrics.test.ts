import { expect, it } from 'vitest';
import { createDecide, type Decide, type Decision } from '../../../functions/authorizer/decide.ts';
import { createAuthorizer } from '../../../functions/authorizer/handler.ts';
import type { VerifiedToken } from '../../../functions/contracts/token.ts';
import { DomainError } from '../../../functions/errors/domain-error.ts';
import { recordMetrics } from '../../fixtures/recorded-metrics.ts';

const token: VerifiedToken = {
  userId: 'user-1',
  appid: 'wx1',
  jti: 'j1',
  authTime: 1,
  issuedAt: 2,
  expiresAt: 3,
};
const event = (authorization: string) => ({
  type: 'REQUEST',
  httpMethod: 'GET',
  methodArn: 'arn:aws:execute-api:eu-west-1:111122223333:abc123/prod/GET/member/me',
  headers: { Authorization: authorization },
});

async function recordedWhen(decide: Decide, request: object = event('a.b.c')) {
  const { metrics, calls } = recordMetrics();
  const authorize = createAuthorizer({
    decide,
    log: { info() {}, error() {} },
    metrics,
    httpResponse: 'simple',
    cacheTtlSeconds: 0,
    now: Date.now,
  });
  await authorize(request).catch(() => {});
  return calls;
}

const allow = async (): Promise<Decision> => ({ kind: 'allow', token });

it('counts each decision, and the reason of a refusal or denial', async () => {
  expect(await recordedWhen(allow)).toEqual([['AuthorizerDecisions', 'allow']]);
  expect(await recordedWhen(async () => ({ kind: 'deny', error: 'user_banned', token }))).toEqual([
    ['AuthorizerDecisions', 'deny'],
    ['TokenRefusals', 'user_banned'],
  ]);
  expect(await recordedWhen(async () => ({ kind: 'refuse', reason: 'expired' }))).toEqual([
    ['AuthorizerDecisions', 'refuse'],
    ['TokenRefusals', 'expired'],
  ]);
});

it('counts a request without a token like a bad token', async () => {
  const decide = createDecide({ verifier: { verify: async () => token } });

  expect(await recordedWhen(decide, event(''))).toEqual([
    ['AuthorizerDecisions', 'refuse'],
    ['TokenRefusals', 'missing_token'],
  ]);
});

it('counts `none` when there is no decision, no known kind of API, or no response to give', async () => {
  const none = [['AuthorizerDecisions', 'none']];
  const unavailable = () => Promise.reject(new DomainError('unavailable', { reason: 'keys are away' }));

  expect(await recordedWhen(unavailable)).toEqual(none);
  expect(await recordedWhen(allow, { type: 'nothing known' })).toEqual(none);
  expect(await recordedWhen(allow, { ...event('a.b.c'), methodArn: '*' })).toEqual(none);
});

it('counts `none`, and no dimension, for a reason that is not one of ours', async () => {
  const verify = () => Promise.reject(new DomainError('unauthorized', { reason: 'a text of somebody' }));

  expect(await recordedWhen(() => createDecide({ verifier: { verify } })(() => 'a.b.c'))).toEqual([
    ['AuthorizerDecisions', 'none'],
  ]);
});
