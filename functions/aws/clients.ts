/** The AWS clients of every function: one connection pool each, with time-outs well inside a Lambda's own. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { JWKS_KEY, PARTITION_KEY } from '../contracts/table.ts';
import { createHttpHandler } from './http-handler.ts';

/** Three attempts and their back-off stay below 5 s. */
const limits = { connectMs: 500, silenceMs: 1_000 };

const settings = {
  maxAttempts: 3,
  retryMode: 'standard',
  // What is not said here, the SDK looks for in variables and files, one after the other, before its first call.
  useDualstackEndpoint: false,
  useFipsEndpoint: false,
};

/**
 * Where a service is, if the environment says so, in the SDK's variables. The SDK would parse them for each request, and
 * lose what V8 has optimized, which takes twice as long as all else it does.
 */
function endpointOf(service: 'DYNAMODB' | 'SECRETS_MANAGER'): { readonly endpoint?: string } {
  const endpoint = process.env[`AWS_ENDPOINT_URL_${service}`] ?? process.env.AWS_ENDPOINT_URL;
  return endpoint === undefined ? {} : { endpoint };
}

/** A document client that drops `undefined` members. Region, credentials and endpoint come from the environment. */
export function createDocumentClient(): DynamoDBDocumentClient {
  const client = new DynamoDBClient({
    ...settings,
    ...endpointOf('DYNAMODB'),
    requestHandler: createHttpHandler(limits),
    accountIdEndpointMode: 'disabled',
    endpointDiscoveryEnabled: false,
  });
  // It copies each input and output for a logger that nobody gave.
  client.middlewareStack.remove('loggerMiddleware');
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}

/** A Secrets Manager client. Region, credentials and endpoint come from the environment. */
export function createSecretsClient(): SecretsManagerClient {
  return new SecretsManagerClient({
    ...settings,
    ...endpointOf('SECRETS_MANAGER'),
    requestHandler: createHttpHandler(limits),
  });
}

/** Resolves credentials and opens the TLS connection to DynamoDB with one cheap read, so that no request waits for it. */
export async function openConnection(client: DynamoDBDocumentClient, tableName: string): Promise<void> {
  await client.send(new GetCommand({ TableName: tableName, Key: { [PARTITION_KEY]: JWKS_KEY } }));
}
