/** Brings a synthesized stack up on this machine: database, secrets, functions and API, as its template says. */
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createAccount, type LocalAccount } from './account.ts';
import { compileApis, type TemplateApi } from './api-gateway/apis.ts';
import type { OnRequest } from './api-gateway/request-record.ts';
import { startGateway } from './api-gateway/server.ts';
import { startDatabase } from './dynamodb/engine.ts';
import { startDynamodbGate } from './dynamodb/gate.ts';
import { readPartitionKeys } from './dynamodb/permissions.ts';
import { createTable } from './dynamodb/table.ts';
import { LocalRunError } from './errors.ts';
import { type AccessReport, createAccessControl } from './iam/access-control.ts';
import type { Invocation } from './lambda/environment.ts';
import { readFunctions } from './lambda/functions.ts';
import { createLambdaRuntime, type OnLog } from './lambda/runtime.ts';
import { type RotationStep, startSecretsManager } from './secrets-manager/server.ts';
import { readRotations, readSecrets, type TemplateSecret } from './secrets-manager/template-secrets.ts';
import { type Json, loadTemplate } from './template/assembly.ts';
import { createResolver, type Resolver } from './template/intrinsics.ts';
import { REGION } from './template/physical-names.ts';

/** What a local stack is made from. */
export interface LocalStackOptions {
  /**
   * Names the directory of the cloud assembly; it is told the address the API will have, so that it can
   * synthesize a stack that knows its own issuer.
   */
  readonly assembly: (url: string) => string | Promise<string>;
  /** Port on 127.0.0.1 of the REST API; further APIs have free ones. Default: a free one. */
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
  readonly onRequest?: OnRequest;
  /**
   * A stack that runs already, in whose account this one is to be: its SSM parameters give values to this template's
   * parameters, and APIs of each may invoke functions of the other. Default: an account of its own
   */
  readonly beside?: LocalStack;
  /** Values of the template's parameters. Default: those of the template */
  readonly parameters?: Readonly<Record<string, string>>;
}

/** An API that is served. */
export interface LocalApi extends Pick<TemplateApi, 'logicalId' | 'protocol'> {
  /** `http://127.0.0.1:<port>`, or `ws://` for a WebSocket API: its root, whatever its stage is called. */
  readonly url: string;
}

/** A stack that runs. */
export interface LocalStack {
  /** `http://127.0.0.1:<port>`: the root of the REST API; of the first other one, when there is no REST API. */
  readonly url: string;
  /** Every API of the template, each on a port of its own. */
  readonly apis: readonly LocalApi[];
  /** What this stack shares with those that are started beside it. */
  readonly account: LocalAccount;
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
  const { assembly, port = 0, beside, dataDir, onLog, onStep = () => {}, onRequest } = options;
  const account = beside?.account ?? createAccount();
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
    startDatabase({
      endpoint: options.dynamodbEndpoint ?? beside?.dynamodbEndpoint,
      dataFile: inDataDir('dynamodb.sqlite'),
    }),
  );
  onClose(database.stop);
  const resolver = createResolver(loadTemplate(await directory), {
    parameters: options.parameters ?? {},
    ssmValue: account.ssmValue,
  });

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
  const leave = account.add(resolver, runtime);
  onClose(async () => leave());
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

  const apis = compileApis(resolver, account.invoke, endpoints);
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
  const served: LocalApi[] = [];
  for (const { logicalId, protocol, served: api } of apis) {
    const place = served.length === 0 ? gateway : await startGateway(0, onRequest);
    if (place !== gateway) onClose(place.close);
    place.serve(api);
    const url = protocol === 'WEBSOCKET' ? place.url.replace('http:', 'ws:') : place.url;
    served.push({ logicalId, protocol, url });
  }

  return {
    url: gateway.url,
    apis: served,
    account,
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
