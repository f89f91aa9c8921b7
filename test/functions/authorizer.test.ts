import fs from 'node:fs';
import { beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { IamResponse } from '../../functions/authorizer/apis/iam-response.ts';
import { publishJwks } from '../../functions/keys/published-in-table.ts';
import { createRevocations } from '../../functions/tokens/revocations.ts';
import { AUDIENCE, createTestKey, ISSUER, NOW_SECONDS, signWith, type TestKey } from '../fixtures/tokens.ts';
import { localIdentity, startOwnUsersTable } from '../fixtures/users-table.ts';

let key: TestKey;
beforeAll(async () => {
  key = await createTestKey();
});
beforeEach(() => {
  vi.unstubAllEnvs();
  return () => vi.restoreAllMocks();
});

async function importEntry(endpoint: string, checkRevocation: boolean) {
  vi.resetModules();
  vi.spyOn(fs, 'writeSync').mockImplementation((_, chunk) => chunk.length);
  for (const [name, value] of Object.entries({
    POWERTOOLS_SERVICE_NAME: 'wechat-login-test',
    TABLE_NAME: 'users',
    TOKEN_ISSUER: ISSUER,
    TOKEN_AUDIENCE: AUDIENCE,
    CHECK_REVOCATION: String(checkRevocation),
    AWS_REGION: localIdentity.region,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_DYNAMODB: endpoint,
  }))
    vi.stubEnv(name, value);
  return (await import('../../functions/authorizer.ts')).handler as (event: object) => Promise<IamResponse>;
}

const requestWith = (token: string) => ({
  type: 'REQUEST',
  httpMethod: 'GET',
  methodArn: 'arn:aws-cn:execute-api:cn-north-1:111122223333:abc123/prod/GET/member/me',
  headers: { Authorization: token },
});

function freshToken(claims: Record<string, unknown> = {}): string {
  const iat = Math.floor(Date.now() / 1000);
  return signWith(key, { claims: { iat, auth_time: iat, exp: iat + 60, ...claims } });
}

async function startTable() {
  const table = await startOwnUsersTable();
  await publishJwks(table, { jwks: key.jwks, signingKeyCreatedAt: NOW_SECONDS }, undefined);
  return table;
}

it('has its keys before the first request comes, and without revocation needs nothing else', async () => {
  const table = await startTable();
  const handler = await importEntry(table.endpoint, false);
  await table.stop();

  const answer = await handler(requestWith(freshToken()));

  expect(answer.context).toMatchObject({ user_id: 'user-1' });
});

it('starts without its keys, and then fails instead of refusing tokens', async () => {
  const handler = await importEntry('http://127.0.0.1:1', true);

  await expect(handler(requestWith(freshToken()))).rejects.toThrow('No decision on the token');
  await expect(handler(requestWith('nonsense'))).rejects.toThrow(/^Unauthorized$/);
});

it('reads the table for every token, and makes no decision when the table is away', async () => {
  const table = await startTable();
  await table.put({ pk: 'user-1', status: 'active' });
  const handler = await importEntry(table.endpoint, true);
  const [token, revoked] = [freshToken(), freshToken({ jti: 'other' })];

  await createRevocations({ ...table, now: Date.now }).endLogin({ loginId: 'other', authTime: NOW_SECONDS });
  const answers = [await handler(requestWith(token)), await handler(requestWith(revoked))];
  await table.stop();

  expect(answers.map(({ context }) => context)).toEqual([
    expect.objectContaining({ user_id: 'user-1' }),
    expect.objectContaining({ error: 'token_revoked' }),
  ]);
  await expect(handler(requestWith(token))).rejects.toThrow('No decision on the token');
  await expect(handler(requestWith(revoked))).rejects.toThrow('No decision on the token');
});
