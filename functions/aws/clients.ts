/** The AWS clients of every function: one connection pool each, with time-outs well inside a Lambda's own. */
import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { JWKS_KEY, PARTITION_KEY } from '../contracts/table.ts';
import { Sha256 } from './sha256.ts';

/**
 * Per attempt, in milliseconds: until a connection can be written on; until the headers of the response, and between two
 * parts of its body. Three attempts and their back-off stay below 5 s.
 */
export const limits = { connectMs: 500, silenceMs: 1_000 };

/**
 * Over Node's own client, whose limits are the same. For a response's body the SDK has none of its own, and without
 * `throwOnRequestTimeout` it only logs a warning.
 */
const overNode = {
  connectionTimeout: limits.connectMs,
  requestTimeout: limits.silenceMs,
  socketTimeout: limits.silenceMs,
  throwOnRequestTimeout: true,
};

type RequestHandler = NonNullable<DynamoDBClientConfig['requestHandler']>;

const settings = {
  maxAttempts: 3,
  retryMode: 'standard',
  sha256: Sha256,
  // What is not said here, the SDK looks for in variables and files, one after the other, before its first call.
  useDualstackEndpoint: false,
  useFipsEndpoint: false,
  authSchemePreference: [],
  userAgentAppId: async () => undefined,
  disableClockSkewCorrection: false,
  ignoreConfiguredEndpointUrls: true,
};

/**
 * The service's URL where it is not Amazon's own, by the SDK's names: in a local run. The SDK would look for it in files
 * too, and work it out anew for each request.
 */
function endpointOf(service: 'DYNAMODB' | 'SECRETS_MANAGER'): { readonly endpoint?: string } {
  const endpoint = process.env[`AWS_ENDPOINT_URL_${service}`] || process.env.AWS_ENDPOINT_URL;
  return endpoint ? { endpoint } : {};
}

/** A document client that drops `undefined` members. Region, credentials and endpoint come from the environment. */
export function createDocumentClient(requestHandler: RequestHandler = overNode): DynamoDBDocumentClient {
  const client = new DynamoDBClient({
    ...settings,
    ...endpointOf('DYNAMODB'),
    requestHandler,
    accountIdEndpointMode: 'disabled',
    endpointDiscoveryEnabled: false,
  });
  // They copy inputs and outputs for a logger that nobody gave, and write headers that DynamoDB does nothing with.
  for (const name of ['loggerMiddleware', 'getUserAgentMiddleware', 'recursionDetectionMiddleware'])
    client.middlewareStack.remove(name);
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}

/** A Secrets Manager client. Region, credentials and endpoint come from the environment. */
export function createSecretsClient(requestHandler: RequestHandler = overNode): SecretsManagerClient {
  return new SecretsManagerClient({
    ...settings,
    ...endpointOf('SECRETS_MANAGER'),
    requestHandler,
  });
}

/** Resolves credentials and opens the TLS connection to DynamoDB with one cheap read, so that no request waits for it. */
export async function openConnection(client: DynamoDBDocumentClient, tableName: string): Promise<void> {
  await client.send(new GetCommand({ TableName: tableName, Key: { [PARTITION_KEY]: JWKS_KEY } }));
}
