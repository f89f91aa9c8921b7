import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRevocations } from '../../../functions/tokens/revocations.ts';
import {
  type Intercept,
  localIdentity,
  startUsersTable,
  type UsersTable,
} from '../../fixtures/users-table.ts';

/** Half a second into a second. */
const NOW = Date.UTC(2026, 10, 20, 12) + 500;
const SECOND = Math.floor(NOW / 1000);

let table: UsersTable;
beforeAll(async () => {
  table = await startUsersTable();
});
afterAll(() => table.stop());

let userId: string;
let users = 0;
beforeEach(async () => {
  userId = `user-${++users}`;
  await table.put({
    pk: userId,
    status: 'active',
    appid: 'wx1',
    openid: `oOPENID${users}`,
    phone: '13800000000',
  });
});

/** Revocations with a clock that only sleeping moves, and the inputs of the requests they send. */
function setUp({ intercept, at = NOW }: { intercept?: Intercept; at?: number } = {}) {
  const inputs: unknown[] = [];
  const pauses: number[] = [];
  let time = at;
  const { client } = table.connect((request, proceed) => {
    inputs.push(request.input);
    return intercept === undefined ? proceed() : intercept(request, proceed);
  });
  const revocations = createRevocations({
    client,
    tableName: table.tableName,
    now: () => time,
    async sleep(ms) {
      pauses.push(ms);
      time += ms;
    },
  });
  return { revocations, inputs, pauses, now: () => time };
}

const loginOf = (changes: { loginId?: string; authTime?: number; userId?: string } = {}) => ({
  loginId: `login-of-${userId}`,
  userId,
  authTime: SECOND,
  ...changes,
});

describe('the status of a token', () => {
  it('a token is active until it is revoked', async () => {
    expect(await setUp().revocations.statusOf(loginOf())).toBe('active');
  });

  it('the status is read consistently, in one request, and only the attributes that decide', async () => {
    const { revocations, inputs } = setUp();

    await revocations.statusOf(loginOf());

    expect(inputs).toEqual([
      {
        RequestItems: {
          [table.tableName]: expect.objectContaining({
            Keys: [{ pk: `revoked#login-of-${userId}` }, { pk: userId }],
            ConsistentRead: true,
            ProjectionExpression: '#pk, #status, tokens_valid_after',
          }),
        },
      },
    ]);
  });

  it('a token is revoked after the end of its login, which leaves other logins alone', async () => {
    const { revocations } = setUp();

    await revocations.endLogin({ loginId: 'login-1', authTime: SECOND });

    expect(await revocations.statusOf(loginOf({ loginId: 'login-1' }))).toBe('token_revoked');
    expect(await revocations.statusOf(loginOf({ loginId: 'login-2' }))).toBe('active');
  });

  it('a token is revoked when its user is gone', async () => {
    expect(await setUp().revocations.statusOf(loginOf({ userId: 'nobody' }))).toBe('token_revoked');
  });

  it('a banned user counts as banned, even with a revoked token', async () => {
    const { revocations } = setUp();
    await revocations.endLogin(loginOf());
    await table.put({ pk: userId, status: 'banned', tokens_valid_after: SECOND + 60 });

    expect(await revocations.statusOf(loginOf())).toBe('user_banned');
  });

  it('a refresh that was under way during the revocation does not save its token', async () => {
    await table.put({ pk: userId, status: 'active', tokens_valid_after: SECOND });
    const refreshed = { ...loginOf({ authTime: SECOND - 1 }), issuedAt: SECOND + 5 };

    expect(await setUp().revocations.statusOf(refreshed)).toBe('token_revoked');
    expect(await setUp().revocations.statusOf(loginOf({ authTime: SECOND }))).toBe('active');
  });

  it('a damaged user item is a bug, and says nothing about the token', async () => {
    for (const item of [
      {},
      { status: 'other' },
      { status: 'active', tokens_valid_after: 'soon' },
      { status: 'active', tokens_valid_after: null },
    ]) {
      await table.put({ pk: userId, ...item });
      await expect(setUp().revocations.statusOf(loginOf())).rejects.toThrow('is damaged');
    }
  });
});

describe('ending a login', () => {
  it('the mark of an ended login outlives every token that can be refreshed from it', async () => {
    await setUp().revocations.endLogin({ loginId: 'login-3', authTime: SECOND });

    const lastRefresh = SECOND + 30 * 86_400;
    const forgiven = 5;
    expect(await table.item('revoked#login-3')).toEqual({
      pk: 'revoked#login-3',
      expires_at: lastRefresh + 7 * 86_400 + forgiven,
    });
  });

  it('the end of a login can be repeated', async () => {
    const { revocations } = setUp();
    const login = loginOf({ loginId: 'login-4' });

    await revocations.endLogin(login);
    await revocations.endLogin(login);

    expect(await revocations.statusOf(login)).toBe('token_revoked');
  });
});

describe("revoking all of a user's tokens", () => {
  it('revoking all tokens ends every login up to now, of this very second too, and none after it has resolved', async () => {
    const { revocations, now } = setUp();

    await revocations.revokeAllTokens(userId);

    for (const authTime of [0, SECOND - 1, SECOND])
      expect(await revocations.statusOf(loginOf({ authTime })), `${authTime}`).toBe('token_revoked');
    expect(await revocations.statusOf(loginOf({ authTime: Math.floor(now() / 1000) }))).toBe('active');
  });

  it('revoking all tokens resolves as soon as the next second has begun, and not before', async () => {
    for (const [at, pauses] of [
      [SECOND * 1000, [1_000]],
      [NOW, [500]],
      [SECOND * 1000 + 999, [1]],
    ] as const) {
      const run = setUp({ at });
      await run.revocations.revokeAllTokens(userId);
      expect(run.pauses).toEqual(pauses);
      expect(run.now()).toBe((SECOND + 1) * 1000);
    }
  });

  it('revoking all tokens waits on when a timer fires early', async () => {
    let time = NOW;
    const revocations = createRevocations({
      client: table.client,
      tableName: table.tableName,
      now: () => time,
      sleep: async (ms) => {
        time += Math.ceil(ms / 2);
      },
    });

    await revocations.revokeAllTokens(userId);

    expect(time).toBe((SECOND + 1) * 1000);
  });

  it('revoking all tokens does not wait for a clock that was set back to catch up', async () => {
    let time = NOW;
    const pauses: number[] = [];
    const revocations = createRevocations({
      client: table.client,
      tableName: table.tableName,
      now: () => time,
      sleep: async (ms) => {
        pauses.push(ms);
        time -= 600_000;
      },
    });

    await revocations.revokeAllTokens(userId);

    expect(pauses).toEqual([500]);
  });

  it('revoking all tokens changes nothing else of the user', async () => {
    const before = await table.item(userId);

    await setUp().revocations.revokeAllTokens(userId);

    expect(await table.item(userId)).toEqual({ ...before, tokens_valid_after: SECOND + 1 });
  });

  it('revoking all tokens never sets an earlier date than there is', async () => {
    for (const existing of [SECOND + 1, SECOND + 3600]) {
      await table.put({ pk: userId, status: 'active', tokens_valid_after: existing });
      await setUp().revocations.revokeAllTokens(userId);
      expect(await table.item(userId)).toMatchObject({ tokens_valid_after: existing });
    }
  });

  it('revoking all tokens does not bring an erased user back', async () => {
    await setUp().revocations.revokeAllTokens('erased');

    expect(await table.item('erased')).toBeUndefined();
  });
});

describe('when DynamoDB is in trouble', () => {
  it('reads again what DynamoDB left out, with growing pauses', async () => {
    let reads = 0;
    const { revocations, inputs, pauses } = setUp({
      intercept: async ({ input }, proceed) => {
        const answer = (await proceed()) as { output: Record<string, unknown> };
        const { RequestItems } = input as { RequestItems: Record<string, { Keys: { pk: string }[] }> };
        if (++reads === 1) {
          // The mark is answered (there is none), the user is not.
          const request = RequestItems[table.tableName];
          answer.output = {
            ...answer.output,
            Responses: { [table.tableName]: [] },
            UnprocessedKeys: { [table.tableName]: { ...request, Keys: request?.Keys.slice(1) } },
          };
        }
        return answer;
      },
    });

    expect(await revocations.statusOf(loginOf())).toBe('active');
    expect(inputs[1]).toMatchObject({
      RequestItems: { [table.tableName]: { Keys: [{ pk: userId }], ConsistentRead: true } },
    });
    expect(pauses).toEqual([25]);
  });

  it('keeps a mark of the first response when the rest comes later', async () => {
    let reads = 0;
    const { revocations } = setUp({
      intercept: async ({ input, command }, proceed) => {
        const answer = (await proceed()) as {
          output: { Responses: Record<string, { pk: string }[]>; UnprocessedKeys: unknown };
        };
        if (command === 'BatchGetItem' && ++reads === 1) {
          const request = (input as { RequestItems: Record<string, { Keys: unknown[] }> }).RequestItems[
            table.tableName
          ];
          const items = answer.output.Responses[table.tableName] ?? [];
          answer.output.Responses = { [table.tableName]: items.filter(({ pk }) => pk !== userId) };
          answer.output.UnprocessedKeys = { [table.tableName]: { ...request, Keys: [{ pk: userId }] } };
        }
        return answer;
      },
    });
    await revocations.endLogin(loginOf());

    expect(await revocations.statusOf(loginOf())).toBe('token_revoked');
  });

  it('gives up as unavailable after a bounded number of reads', async () => {
    const { revocations, inputs } = setUp({
      intercept: async ({ input }, proceed) => {
        const answer = (await proceed()) as { output: Record<string, unknown> };
        const { RequestItems } = input as { RequestItems: unknown };
        answer.output = { Responses: { [table.tableName]: [] }, UnprocessedKeys: RequestItems };
        return answer;
      },
    });

    await expect(revocations.statusOf(loginOf())).rejects.toMatchObject({
      code: 'unavailable',
      retryAfterSeconds: 2,
    });
    expect(inputs).toHaveLength(4);
  });

  it.each(['throttled', 'silent', 'gone'])(
    'the status is unavailable when the table is %s',
    async (trouble) => {
      const server = createServer((_request, response) => {
        if (trouble !== 'throttled') return;
        response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
        response.end(
          '{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"slow down"}',
        );
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      if (trouble === 'gone') server.close();
      const client = DynamoDBDocumentClient.from(
        new DynamoDBClient({
          endpoint: `http://127.0.0.1:${port}`,
          ...localIdentity,
          maxAttempts: 1,
          requestHandler: { requestTimeout: 100, throwOnRequestTimeout: true },
        }),
      );
      const revocations = createRevocations({ client, tableName: 'users', now: () => NOW });

      for (const call of [
        () => revocations.statusOf(loginOf()),
        () => revocations.endLogin(loginOf()),
        () => revocations.revokeAllTokens(userId),
      ])
        await expect(call()).rejects.toMatchObject({ code: 'unavailable' });

      client.destroy();
      server.closeAllConnections();
      server.close();
    },
  );
});
