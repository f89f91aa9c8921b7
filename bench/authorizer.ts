/** Measures the authorizer's decision, from API Gateway's event to the policy, in each variant there is. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { jwtVerify } from 'jose';
import { createTable, startDatabase } from 'local-aws';
import { createDecide } from '../functions/authorizer/decide.ts';
import { type AuthorizerOptions, createAuthorizer } from '../functions/authorizer/handler.ts';
import { PARTITION_KEY } from '../functions/contracts/table.ts';
import type { Log } from '../functions/telemetry/logger.ts';
import { createRevocations } from '../functions/tokens/revocations.ts';
import { compare, type Measurement, measureInTurn, type Rounds } from './measurement.ts';
import { createVerifierAndToken, tokenSubject } from './tokens.ts';

/** Formats nothing and writes nothing: a line of log costs the same in every variant. */
const silent: Log = { info() {}, error() {} };

/** What every variant has in common. */
const options: Omit<AuthorizerOptions, 'decide'> = {
  log: silent,
  httpResponse: 'simple',
  cacheTtlSeconds: 0,
  now: Date.now,
};

/**
 * Measures; the floor is jose's verification of the token. Revocation reads the embedded DynamoDB, apart from the rest:
 * what runs after a wait takes longer.
 */
export async function measureAuthorizer(rounds: Rounds): Promise<readonly Measurement[]> {
  const { verifier, token, key } = await createVerifierAndToken();
  const event = {
    type: 'REQUEST',
    httpMethod: 'GET',
    methodArn: 'arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/v1/GET/member/me',
    headers: { Host: 'login.example.com', Authorization: `Bearer ${token}` },
    multiValueHeaders: { Host: ['login.example.com'], Authorization: [`Bearer ${token}`] },
    requestContext: { requestId: '00000000-0000-4000-8000-000000000000' },
  };
  const table = await startTableOfOneUser();
  const revocations = createRevocations({ ...table, now: Date.now });
  const stateless = createAuthorizer({ ...options, decide: createDecide({ verifier }) });
  const central = createAuthorizer({ ...options, decide: createDecide({ verifier, revocations }) });
  try {
    const alone = await measureInTurn(
      [
        { row: 'jose jwtVerify', run: () => jwtVerify(token, key) },
        { row: 'our verifier', run: () => verifier.verify(token) },
        { row: 'authorizer without revocation', run: () => stateless(event) },
      ],
      rounds,
    );
    const reading = await measureInTurn(
      [{ row: 'authorizer with revocation', run: () => central(event) }],
      rounds,
    );
    return compare('decide about a request', [...alone, ...reading]);
  } finally {
    await table.stop();
  }
}

async function startTableOfOneUser() {
  const database = await startDatabase();
  const bare = new DynamoDBClient({
    endpoint: database.endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
  });
  const client = DynamoDBDocumentClient.from(bare);
  const tableName = 'users';
  await createTable(bare, tableName, {
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: [{ AttributeName: PARTITION_KEY, KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: PARTITION_KEY, AttributeType: 'S' }],
  });
  const Item = { [PARTITION_KEY]: tokenSubject.userId, status: 'active' };
  await client.send(new PutCommand({ TableName: tableName, Item }));
  return {
    client,
    tableName,
    stop: async () => {
      bare.destroy();
      await database.stop();
    },
  };
}
