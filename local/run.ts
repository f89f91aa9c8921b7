/** Brings a synthesized stack up on this machine: database, secrets, functions and API, as its template says. */
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type AccessReport, createAccessControl } from './access-control.ts';
import { startDatabase } from './database.ts';
import { startDynamodbGate } from './dynamodb-gate.ts';
import { readPartitionKeys } from './dynamodb-permissions.ts';
import { LocalRunError } from './errors.ts';
import { type RequestRecord, startGateway } from './gateway.ts';
import { createResolver, type Resolver } from './intrinsics.ts';
import type { Invocation } from './lambda-environment.ts';
import { readFunctions } from './lambda-functions.ts';
import { createLambdaRuntime, type OnLog } from './lambda-runtime.ts';
import { REGION } from './resource-types.ts';
import { compileRestApi } from './rest-api.ts';
import { readRotations, readSecrets, type TemplateSecret } from './secrets.ts';
import { type RotationStep, startSecretsManager } from './secrets-manager.ts';
import { createTable } from './table.ts';
import { type Json, loadTemplate } from './template.ts';

/** What a local stack is made from. */
export interface LocalStackOptions {
  /**
   * Names the directory of the cloud assembly; it is told the address the API will have, so that it can
   * synthesize a stack that knows its own issuer.
   */
  readonly assembly: (url: string) => string | Promise<string>;
  /** Port on 127.0.0.1. Default: a free one. */
  readonly port?: number;
  /** Base URL of a DynamoDB that already runs. Default: the embedded engine. */
  readonly dynamodbEndpoint?: string | undefined;
  /** Directory the data is kept in between runs. Default: in memory. */
  readonly dataDir?: string | undefined;
  /** The value of a secret that a person would fill in after a deployment. Default: what the template says. */
  readonly secretValue?: (secret: TemplateSecret) => string | undefined;
  /** Environments of one function at once. Default: 4. */
  readonly maxEnvironments?: number;
  /** Receives each line a function writes. */
  readonly onLog?: OnLog;
  /** Receives AWS's words about each call that a role of the template does not allow. */
  readonly onDenied?: (refusal: string) => void;
  /** Receives each step when it is done, with its duration in milliseconds. */
  readonly onStep?: (name: string, ms: number) => void;
  /** Receives each answered request. */
  readonly onRequest?: (record: RequestRecord) => void;
}

/** A stack that runs. */
export interface LocalStack {
  /** `http://127.0.0.1:<port>`: the root of the API. */
  readonly url: string;
  /** Base URL of the database; calls that are not signed by a part of the stack are an administrator's. */
  readonly dynamodbEndpoint: string;
  /** Names of the template's tables in it. */
  readonly tableNames: readonly string[];
  /** Base URL of the Secrets Manager stand-in. */
  readonly secretsManagerEndpoint: string;
  /** What the roles of the template allow, and what of it has been used so far. */
  accessReport(): AccessReport;
  /** Answers what resources are called. */
  readonly resolver: Resolver;
  /** Invokes a function by logical id or ARN. */
  invoke(target: string, event: Json): Promise<Invocation>;
  /** Rotates a secret now. */
  rotate(secretArn: string): Promise<void>;
  /** Ends everything; resolves when all processes are gone. */
  close(): Promise<void>;
}

/**
 * Starts the stack.
 *
 * @throws LocalRunError one sentence on what is wrong; whatever had been started is ended again
 */
export async function startLocalStack(options: LocalStackOptions): Promise<LocalStack> {
  const started: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of started.splice(0).reverse()) await end();
  };
  try {
    return { ...(await start(options, (end) => started.push(end))), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  options: LocalStackOptions,
  onClose: (end: () => Promise<void>) => void,
): Promise<Omit<LocalStack, 'close'>> {
  const { assembly, port = 0, dynamodbEndpoint, dataDir, onLog, onStep = () => {}, onRequest } = options;
  const step = async <T>(name: string, work: () => T | Promise<T>): Promise<T> => {
    const startedAt = performance.now();
    const result = await work();
    onStep(name, performance.now() - startedAt);
    return result;
  };
  const inDataDir = (file: string): string | undefined => dataDir && path.join(dataDir, file);

  const gateway = await startGateway(port, onRequest);
  onClose(gateway.close);

  // The two long waits at once; the database is waited for first, so that it is always ended again.
  const directory = step('synth', () => assembly(gateway.url));
  directory.catch(() => {});
  const database = await step('database', () =>
    startDatabase({ endpoint: dynamodbEndpoint, dataFile: inDataDir('dynamodb.sqlite') }),
  );
  onClose(database.stop);
  const resolver = createResolver(loadTemplate(await directory));

  const tableNames = await step('tables', () => createTables(resolver, database.endpoint));

  const access = createAccessControl(resolver, options.onDenied);
  const partitionKeys = readPartitionKeys(resolver);
  const gate = await startDynamodbGate({ database: database.endpoint, access, partitionKeys });
  onClose(gate.close);
  const rotations = readRotations(resolver);
  const secrets = await step('secrets', () =>
    startSecretsManager({
      secrets: readSecrets(resolver).map((secret) => ({
        ...secret,
        value: options.secretValue?.(secret) ?? secret.value,
      })),
      invokeRotation: (event) => rotateStep(event),
      access,
      ...(dataDir === undefined ? {} : { dataFile: path.join(dataDir, 'secrets.json') }),
    }),
  );
  onClose(secrets.close);

  const endpoints = { dynamodb: gate.endpoint, secretsManager: secrets.endpoint };
  const runtime = createLambdaRuntime(readFunctions(resolver, endpoints, options.maxEnvironments), onLog);
  onClose(runtime.close);
  const rotateStep = async (event: RotationStep): Promise<void> => {
    const rotation = rotations.find(({ secretArn }) => secretArn === event.SecretId);
    if (rotation === undefined)
      throw new LocalRunError(`No function of the template rotates ${event.SecretId}.`);
    const outcome = await runtime.invoke(rotation.functionArn, { ...event });
    if (!outcome.ok)
      throw new LocalRunError(
        `Rotating ${event.SecretId} failed at ${event.Step}: ${outcome.error.errorType}: ${outcome.error.errorMessage}`,
      );
  };

  const api = compileRestApi(resolver, runtime.invoke, endpoints);
  // The rotation runs first: functions may need, when they start, what it writes.
  await step('rotation', async () => {
    for (const { secretArn, immediately } of rotations) if (immediately) await secrets.rotate(secretArn);
  });
  const rotators = rotations.map(({ functionArn }) => functionArn);
  await step('functions', () =>
    Promise.all(
      runtime.functions
        .filter(({ arn }) => !rotators.includes(arn))
        .map(({ logicalId }) => runtime.warm(logicalId)),
    ),
  );
  gateway.serve(api);

  return {
    url: gateway.url,
    dynamodbEndpoint: gate.endpoint,
    accessReport: access.report,
    tableNames,
    secretsManagerEndpoint: secrets.endpoint,
    resolver,
    invoke: runtime.invoke,
    rotate: secrets.rotate,
  };
}

/** Answers the tables' names. */
async function createTables(resolver: Resolver, endpoint: string): Promise<string[]> {
  const client = new DynamoDBClient({
    endpoint,
    region: REGION,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  try {
    const tables = ['AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable'].flatMap((type) =>
      resolver.resourcesOf(type),
    );
    const names: string[] = [];
    for (const { logicalId, properties } of tables) {
      const { TableName: _, ...shape } = properties;
      const name = String(resolver.names(logicalId).ref);
      await createTable(client, name, shape);
      names.push(name);
    }
    return names;
  } finally {
    client.destroy();
  }
}
