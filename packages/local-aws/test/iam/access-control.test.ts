import { BatchGetItemCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startDatabase } from '../../src/dynamodb/engine.ts';
import { startDynamodbGate } from '../../src/dynamodb/gate.ts';
import { permissionsFor, readPartitionKeys } from '../../src/dynamodb/permissions.ts';
import { createTable } from '../../src/dynamodb/table.ts';
import { createAccessControl } from '../../src/iam/access-control.ts';
import type { Json, JsonObject } from '../../src/json.ts';
import type { Resource } from '../../src/template/assembly.ts';
import { createResolver } from '../../src/template/intrinsics.ts';
import { apiWith, lambda, type Resources, template } from '../fixtures/assembly.ts';

const users: JsonObject = {
  TableName: 'users',
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: ['pk', 'openid'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'by-openid',
      KeySchema: [{ AttributeName: 'openid', KeyType: 'HASH' }],
      Projection: { ProjectionType: 'ALL' },
    },
  ],
};
const TABLE = 'arn:aws:dynamodb:us-east-1:000000000000:table/users';
const INDEX = `${TABLE}/index/by-openid`;
const table: Json = { 'Fn::GetAtt': ['Users', 'Arn'] };

const allow = (action: Json, resource: Json = table, more: JsonObject = {}): JsonObject => ({
  Effect: 'Allow',
  Action: action,
  Resource: resource,
  ...more,
});
const whereKey = (operator: string, ...keys: string[]): JsonObject => ({
  Condition: { [`ForAllValues:${operator}`]: { 'dynamodb:LeadingKeys': keys } },
});

/** A stack with one function `Fn`, whose role has these statements. */
function stackWith(statements: readonly JsonObject[], role: JsonObject = {}): Resources {
  return {
    Users: { Type: 'AWS::DynamoDB::GlobalTable', Properties: users },
    FnRole: { Type: 'AWS::IAM::Role', Properties: role },
    FnPolicy: {
      Type: 'AWS::IAM::Policy',
      Properties: { PolicyDocument: { Statement: statements }, Roles: [{ Ref: 'FnRole' }] },
    },
    Fn: lambda('Fn', { Role: { 'Fn::GetAtt': ['FnRole', 'Arn'] } }),
  };
}

const controlOf = (resources: Resources) => createAccessControl(createResolver(template(resources)));

const key = (...values: string[]) => ({ 'dynamodb:LeadingKeys': values });

describe('what a request to DynamoDB needs', () => {
  const s = (value: string): JsonObject => ({ S: value });

  it.each<[string, JsonObject, [action: string, resource: string, ...keys: string[]][]]>([
    ['GetItem', { TableName: 'users', Key: { pk: s('a') } }, [['GetItem', TABLE, 'a']]],
    ['PutItem', { TableName: 'users', Item: { pk: s('a'), x: s('b') } }, [['PutItem', TABLE, 'a']]],
    ['Scan', { TableName: 'users' }, [['Scan', TABLE]]],
    ['DescribeTable', { TableName: 'users' }, [['DescribeTable', TABLE]]],
    ['ListTables', {}, [['ListTables', '*']]],
    ['ExecuteStatement', { Statement: 'SELECT * FROM users' }, [['ExecuteStatement', '*']]],
    [
      'Query',
      {
        TableName: 'users',
        IndexName: 'by-openid',
        KeyConditionExpression: '#sort = :sort AND #openid = :openid',
        ExpressionAttributeNames: { '#openid': 'openid', '#sort': 'appid' },
        ExpressionAttributeValues: { ':openid': s('o'), ':sort': s('wx') },
      },
      [['Query', INDEX, 'o']],
    ],
    [
      'BatchGetItem',
      { RequestItems: { users: { Keys: [{ pk: s('a') }, { pk: s('b') }] } } },
      [['BatchGetItem', TABLE, 'a', 'b']],
    ],
    [
      'BatchWriteItem',
      {
        RequestItems: {
          users: [{ PutRequest: { Item: { pk: s('a') } } }, { DeleteRequest: { Key: { pk: s('b') } } }],
        },
      },
      [['BatchWriteItem', TABLE, 'a', 'b']],
    ],
    [
      'TransactWriteItems',
      {
        TransactItems: [
          { Put: { TableName: 'users', Item: { pk: s('a') } } },
          { ConditionCheck: { TableName: 'users', Key: { pk: s('b') } } },
          { Delete: { TableName: 'other', Key: { pk: s('c') } } },
        ],
      },
      [
        ['PutItem', TABLE, 'a'],
        ['ConditionCheckItem', TABLE, 'b'],
        ['DeleteItem', TABLE.replace('users', 'other')],
      ],
    ],
  ])('%s: its actions, on which table or index, for which partition keys', (operation, input, needed) => {
    const partitionKeys = readPartitionKeys(createResolver(template(stackWith([]))));

    expect(permissionsFor(operation, input, partitionKeys)).toEqual(
      needed.map(([action, resource, ...keys]) => ({
        action: `dynamodb:${action}`,
        resource,
        ...(keys.length > 0 && { context: key(...keys) }),
      })),
    );
  });
});

describe('access control', () => {
  it('allows what the role allows and denies the rest in the words of AWS', async () => {
    const access = controlOf(stackWith([allow(['dynamodb:GetItem'])]));

    expect(await access.refusal('Fn', [{ action: 'dynamodb:GetItem', resource: TABLE }])).toBeUndefined();
    expect(await access.refusal('Fn', [{ action: 'dynamodb:PutItem', resource: TABLE }])).toMatch(
      /^User: arn:aws:sts::000000000000:assumed-role\/Demo-FnRole-\w+\/Fn is not authorized to perform: dynamodb:PutItem on resource: arn:aws:dynamodb:us-east-1:000000000000:table\/users because no identity-based policy allows the dynamodb:PutItem action$/,
    );
  });

  it('tells the table from its index, and needs every permission of a call', async () => {
    const access = controlOf(stackWith([allow(['dynamodb:Query', 'dynamodb:GetItem'])]));
    const needed = [
      { action: 'dynamodb:GetItem', resource: TABLE },
      { action: 'dynamodb:Query', resource: INDEX },
    ];

    expect(await access.refusal('Fn', needed)).toContain(`dynamodb:Query on resource: ${INDEX}`);
    expect(await access.refusal('Fn', needed.slice(0, 1))).toBeUndefined();
  });

  it('decides by each partition key, also when it has decided by another one before', async () => {
    const access = controlOf(
      stackWith([
        allow('dynamodb:GetItem', table, whereKey('StringEquals', 'jwks')),
        allow('dynamodb:PutItem', table, whereKey('StringLike', 'revoked#*')),
      ]),
    );
    const may = async (action: string, ...keys: string[]) =>
      (await access.refusal('Fn', [
        { action: `dynamodb:${action}`, resource: TABLE, context: key(...keys) },
      ])) === undefined;

    for (let round = 0; round < 2; round++) {
      expect(await may('GetItem', 'jwks')).toBe(true);
      expect(await may('GetItem', 'jwks2')).toBe(false);
      expect(await may('GetItem', 'jwks', 'other')).toBe(false);
      expect(await may('PutItem', 'revoked#1')).toBe(true);
      expect(await may('PutItem', 'a-user')).toBe(false);
    }
  });

  it('follows an explicit deny, and policies inside the role', async () => {
    const document = (...Statement: JsonObject[]): JsonObject => ({ PolicyDocument: { Statement } });
    const access = controlOf({
      ...stackWith([{ ...allow('dynamodb:DeleteItem'), Effect: 'Deny' }], {
        Policies: [document(allow('dynamodb:*'))],
      }),
    });

    expect(await access.refusal('Fn', [{ action: 'dynamodb:PutItem', resource: TABLE }])).toBeUndefined();
    expect(await access.refusal('Fn', [{ action: 'dynamodb:DeleteItem', resource: TABLE }])).toContain(
      'with an explicit deny in an identity-based policy',
    );
  });

  it('takes whoever is not in the template for an administrator, and a foreign role for one without rights', async () => {
    const access = controlOf({ ...stackWith([]), Guest: lambda('Guest') });
    const needed = [{ action: 'dynamodb:GetItem', resource: TABLE }];

    for (const keyId of ['local', 'operator', undefined])
      expect(await access.refusal(keyId, needed)).toBeUndefined();
    for (const keyId of ['Fn', 'FnRole', 'Guest']) expect(await access.refusal(keyId, needed)).toBeDefined();
  });

  it('denies an action that IAM does not know, even to who may do everything', async () => {
    const access = controlOf(stackWith([allow('dynamodb:*', '*')]));

    expect(
      await access.refusal('Fn', [{ action: 'dynamodb:TransactWriteItems', resource: TABLE }]),
    ).toContain('invalid.action');
  });

  it('reports each granted permission alone, with those that were used and the calls that were denied', async () => {
    const access = controlOf(
      stackWith([allow(['dynamodb:GetItem', 'dynamodb:PutItem']), allow('dynamodb:Query', [table, INDEX])]),
    );
    await access.refusal('Fn', [{ action: 'dynamodb:GetItem', resource: TABLE, context: key('a') }]);
    await access.refusal('Fn', [{ action: 'dynamodb:Query', resource: INDEX }]);
    const refusal = await access.refusal('Fn', [{ action: 'dynamodb:Scan', resource: TABLE }]);

    expect(access.report()).toEqual({
      granted: [
        `FnRole: dynamodb:GetItem on ${TABLE}`,
        `FnRole: dynamodb:PutItem on ${TABLE}`,
        `FnRole: dynamodb:Query on ${TABLE}`,
        `FnRole: dynamodb:Query on ${INDEX}`,
      ],
      used: [`FnRole: dynamodb:GetItem on ${TABLE}`, `FnRole: dynamodb:Query on ${INDEX}`],
      denied: [refusal],
    });
  });

  it('reports no denial among what is granted', async () => {
    const access = controlOf(
      stackWith([
        allow('dynamodb:GetItem'),
        { ...allow(['ec2:DescribeSubnets', 'ec2:DetachNetworkInterface'], '*'), Effect: 'Deny' },
      ]),
    );

    expect(access.report().granted).toEqual([`FnRole: dynamodb:GetItem on ${TABLE}`]);
  });

  it('emulates the roles of functions and of methods, and gives no rights to other roles', async () => {
    const roleWith = (Action: string): Resource => ({
      Type: 'AWS::IAM::Role',
      Properties: { Policies: [{ PolicyDocument: { Statement: [allow(Action)] } }] },
    });
    const access = controlOf({
      ...stackWith([allow('dynamodb:GetItem')]),
      ...apiWith({
        'GET /keys': { Integration: { Type: 'AWS', Credentials: { 'Fn::GetAtt': ['Reader', 'Arn'] } } },
      }),
      Reader: roleWith('dynamodb:Query'),
      Deployer: roleWith('dynamodb:Scan'),
    });
    const may = async (role: string, action: string) =>
      (await access.refusal(role, [{ action: `dynamodb:${action}`, resource: TABLE }])) === undefined;

    expect(access.report().granted).toEqual([
      `FnRole: dynamodb:GetItem on ${TABLE}`,
      `Reader: dynamodb:Query on ${TABLE}`,
    ]);
    expect(await may('Reader', 'Query')).toBe(true);
    expect(await may('Deployer', 'Scan')).toBe(false);
  });

  it('does not mind what it cannot read of a role that nothing acts as', () => {
    const Deployer = {
      Type: 'AWS::IAM::Role',
      Properties: {
        ManagedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited'],
        PermissionsBoundary: 'arn:aws:iam::000000000000:policy/all',
      },
    };

    expect(controlOf({ ...stackWith([]), Deployer }).report().granted).toEqual([]);
  });

  it("knows AWS's own policy for writing logs, which allows nothing else", async () => {
    const basic = 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole';
    const access = controlOf(stackWith([], { ManagedPolicyArns: [basic] }));

    expect(await access.refusal('Fn', [{ action: 'dynamodb:GetItem', resource: TABLE }])).toContain(
      'no identity',
    );
    expect(access.report().granted).toEqual([]);
  });

  it.each<[string, JsonObject, string]>([
    [
      'a managed policy outside of the template',
      { ManagedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess'] },
      'FnRole.ManagedPolicyArns: arn:aws:iam::aws:policy/AdministratorAccess, which is not in the template,',
    ],
    [
      'a permissions boundary',
      { PermissionsBoundary: 'arn:aws:iam::000000000000:policy/all' },
      'FnRole.PermissionsBoundary: a permissions boundary',
    ],
  ])('refuses to guess about %s', (_, role, message) => {
    expect(() => controlOf(stackWith([], role))).toThrow(`${message} is not supported by the local run.`);
  });
});

describe('the gate of DynamoDB', () => {
  async function openGate() {
    const resolver = createResolver(
      template(stackWith([allow('dynamodb:PutItem', table, whereKey('StringEquals', 'mine'))])),
    );
    const database = await startDatabase();
    onTestFinished(database.stop);
    const gate = await startDynamodbGate({
      database: database.endpoint,
      access: createAccessControl(resolver),
      partitionKeys: readPartitionKeys(resolver),
    });
    onTestFinished(gate.close);
    const clientOf = (accessKeyId: string) => {
      const client = new DynamoDBClient({
        endpoint: gate.endpoint,
        region: 'us-east-1',
        credentials: { accessKeyId, secretAccessKey: 'local' },
        maxAttempts: 1,
      });
      onTestFinished(() => client.destroy());
      return client;
    };
    const { TableName: _, ...shape } = users;
    await createTable(clientOf('local'), 'users', shape);
    return { gate, database, clientOf };
  }

  it('lets through what the role allows, and refuses the rest as the service would', async () => {
    const { clientOf } = await openGate();
    const fn = clientOf('Fn');
    const put = (pk: string) => new PutItemCommand({ TableName: 'users', Item: { pk: { S: pk } } });

    await fn.send(put('mine'));
    await clientOf('local').send(put('anybody'));

    await expect(fn.send(put('yours'))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('is not authorized to perform: dynamodb:PutItem on resource'),
      $metadata: { httpStatusCode: 400 },
    });
    const all = new BatchGetItemCommand({
      RequestItems: { users: { Keys: ['mine', 'anybody', 'yours'].map((pk) => ({ pk: { S: pk } })) } },
    });
    await expect(fn.send(all)).rejects.toThrow('dynamodb:BatchGetItem');
    expect((await clientOf('local').send(all)).Responses?.users).toHaveLength(2);
  });

  it('refuses a body it cannot read, and hides no database that is gone', async () => {
    const { gate, database } = await openGate();
    const send = (keyId: string, body: string) =>
      fetch(gate.endpoint, {
        method: 'POST',
        headers: {
          'x-amz-target': 'DynamoDB_20120810.PutItem',
          authorization: `AWS4-HMAC-SHA256 Credential=${keyId}/20260101/us-east-1/dynamodb/aws4_request`,
        },
        body,
      });

    for (const body of ['', '{', '[]', '"x"', 'null'])
      expect(await (await send('Fn', body)).text(), body).toContain('SerializationException');
    await database.stop();
    await expect(send('local', '{}')).rejects.toThrow();
  });
});
