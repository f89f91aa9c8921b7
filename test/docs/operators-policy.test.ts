/** The policy that the documentation hands to support staff: enough for their commands, and not for the public keys. */
import { readFileSync } from 'node:fs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchWriteCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { createAccessControl, createResolver, readPartitionKeys, startDynamodbGate } from 'local-aws';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { JWKS_KEY, openidGuardKey } from '../../functions/contracts/table.ts';
import { type Administration, createAdministration } from '../../functions/users/administer.ts';
import {
  localCaller,
  startOwnUsersTable,
  type UsersTable,
  usersTableProperties,
} from '../fixtures/users-table.ts';

const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
const [, documented = ''] = /#### A policy for members.*?```json\n(.*?)```/s.exec(page) ?? [];

interface Policy {
  readonly Version: string;
  readonly Statement: {
    readonly Effect: string;
    readonly Action: string | string[];
    readonly Resource: string | string[];
  }[];
}
const policy: Policy = JSON.parse(
  documented.replaceAll('<users-table>', 'users').replaceAll(/<(region|account|stage)>/g, '*'),
);

let table: UsersTable;
const closing: (() => unknown)[] = [];

/** A client of the table for somebody who has these statements. */
async function operatorWith(statements: Policy['Statement']): Promise<DynamoDBDocumentClient> {
  const resolver = createResolver({
    stackName: 'Operators',
    parameters: {},
    mappings: {},
    outputs: {},
    assets: new Map(),
    resources: {
      Users: {
        Type: 'AWS::DynamoDB::GlobalTable',
        Properties: { TableName: 'users', ...usersTableProperties },
      },
      Role: { Type: 'AWS::IAM::Role', Properties: {} },
      Policy: {
        Type: 'AWS::IAM::Policy',
        Properties: {
          Roles: [{ Ref: 'Role' }],
          PolicyDocument: { Statement: JSON.parse(JSON.stringify(statements)) },
        },
      },
      Operator: { Type: 'AWS::Lambda::Function', Properties: { Role: { 'Fn::GetAtt': ['Role', 'Arn'] } } },
    },
  });
  const gate = await startDynamodbGate({
    database: table.endpoint,
    access: createAccessControl(resolver),
    partitionKeys: readPartitionKeys(resolver),
  });
  const client = DynamoDBDocumentClient.from(
    new DynamoDBClient({
      ...localCaller('Operator'),
      endpoint: gate.endpoint,
    }),
  );
  closing.push(() => client.destroy(), gate.close);
  return client;
}

/** Every way to write an item. */
const writes = (pk: string): [string, (client: DynamoDBDocumentClient) => Promise<unknown>][] => {
  const TableName = 'users';
  const update = {
    TableName,
    Key: { pk },
    UpdateExpression: 'SET x = :x',
    ExpressionAttributeValues: { ':x': 1 },
  };
  return [
    ['put', (client) => client.send(new PutCommand({ TableName, Item: { pk } }))],
    ['update', (client) => client.send(new UpdateCommand(update))],
    ['delete', (client) => client.send(new DeleteCommand({ TableName, Key: { pk } }))],
    [
      'batch',
      (client) =>
        client.send(
          new BatchWriteCommand({
            RequestItems: {
              users: [{ PutRequest: { Item: { pk: 'a' } } }, { DeleteRequest: { Key: { pk } } }],
            },
          }),
        ),
    ],
    [
      'transaction',
      (client) =>
        client.send(
          new TransactWriteCommand({
            TransactItems: [{ Update: { ...update, Key: { pk: 'a' } } }, { Update: update }],
          }),
        ),
    ],
  ];
};

beforeAll(async () => {
  table = await startOwnUsersTable();
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
  await table.stop();
});
beforeEach(async () => {
  await table.put({ pk: JWKS_KEY, jwks: '{"keys":[]}' });
  await table.put({
    pk: 'u1',
    openid: 'o1',
    appid: 'wx1',
    unionid: 'n1',
    status: 'active',
    username: '',
    sex: 0,
    avatar: '',
    last_login_at: 1,
  });
  await table.put({ pk: openidGuardKey('wx1', 'o1'), user_id: 'u1' });
});

describe('the policy for those who run members', () => {
  const order = { by: 'somebody', reason: 'a test' };
  const administrationOf = (client: DynamoDBDocumentClient): Administration =>
    createAdministration({
      client,
      tableName: 'users',
      now: Date.now,
      revocations: { revokeAllTokens: async () => {} },
    });

  it('is enough for every command', async () => {
    const members = administrationOf(await operatorWith(policy.Statement));

    expect((await members.findByUserId('u1'))?.userId).toBe('u1');
    expect(await members.findByOpenid('o1')).toHaveLength(1);
    expect(await members.findByUnionid('n1')).toHaveLength(1);
    expect(await members.findByPhone('+8613800138000')).toEqual([]);
    expect(await members.close('u1', 1, order)).toBe(1);
    expect(await members.closing()).toHaveLength(1);
    for (const change of ['restore', 'ban', 'unban', 'revoke'] as const)
      expect(await members[change]('u1', order), change).toBe(true);
    expect(await members.exportUser('u1')).toMatchObject({ openid_guard: { user_id: 'u1' } });
    expect(await members.erase('u1', order)).toBe(true);
    expect(await table.item(openidGuardKey('wx1', 'o1'))).toBeUndefined();
  });

  it('lets nobody write the public keys, whatever else they may do, and everybody read them', async () => {
    const anything = { Effect: 'Allow', Action: 'dynamodb:*', Resource: '*' };

    const allowances = policy.Statement.filter(({ Effect }) => Effect === 'Allow');

    // The allowance leaves the item out by itself; the denial is for what others allow.
    for (const statements of [allowances, policy.Statement, [...policy.Statement, anything]]) {
      const client = await operatorWith(statements);
      for (const [how, write] of writes(JWKS_KEY))
        await expect(write(client), how).rejects.toMatchObject({ name: 'AccessDeniedException' });
      const { Item } = await client.send(new GetCommand({ TableName: 'users', Key: { pk: JWKS_KEY } }));
      expect(Item).toEqual({ pk: JWKS_KEY, jwks: '{"keys":[]}' });
    }
  });

  it('would let them be written without its conditions: the check sees the difference', async () => {
    const careless = policy.Statement.filter(({ Effect }) => Effect === 'Allow').map(
      ({ Effect, Action, Resource }) => ({ Effect, Action, Resource }),
    );
    const client = await operatorWith(careless);
    const [, update] = writes(JWKS_KEY)[1] ?? [];

    await update?.(client);

    expect(await table.item(JWKS_KEY)).toMatchObject({ x: 1 });
  });

  it('allows no action on more than this table', () => {
    for (const { Resource } of policy.Statement)
      for (const resource of [Resource].flat())
        expect(resource).toMatch(/users(-table)?(\/index\/(openid|closing)-index)?$/);
  });
});
