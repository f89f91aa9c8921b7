/** Brings a synthesized stack up on this machine: database, secrets, functions and APIs, as its template says. */

import path from 'node:path';
import { createAccount, type LocalAccount } from './account.ts';
import { compileApis, type TemplateApi } from './api-gateway/apis.ts';
import type { OnRequest } from './api-gateway/request-record.ts';
import { type Gateway, type RespondBefore, startGateway } from './api-gateway/server.ts';
import { startDatabase } from './dynamodb/engine.ts';
import { startDynamodbGate } from './dynamodb/gate.ts';
import { readPartitionKeys } from './dynamodb/permissions.ts';
import { createTables } from './dynamodb/table.ts';
import { LocalRunError } from './errors.ts';
import { type AccessControl, type AccessReport, createAccessControl } from './iam/access-control.ts';
import type { Json } from './json.ts';
import type { Invocation } from './lambda/environment.ts';
import { readFunctions, type ServiceEndpoints } from './lambda/functions.ts';
import { createLambdaRuntime, type LambdaRuntime, type OnLog } from './lambda/runtime.ts';
import {
  type LocalSecretsManager,
  type RotationStep,
  startSecretsManager,
} from './secrets-manager/server.ts';
import {
  readRotations,
  readSecrets,
  type TemplateRotation,
  type TemplateSecret,
} from './secrets-manager/template-secrets.ts';
import { loadTemplate } from './template/assembly.ts';
import { createResolver, type Resolver } from './template/intrinsics.ts';

/** What a local stack is made from. */
export interface LocalStackOptions {
  /**
   * Names the directory of the cloud assembly. It is given the address that the API will have, so that it can
   * synthesize a stack that knows its own URL.
   */
  readonly assembly: (url: string) => string | Promise<string>;
  /** Port on 127.0.0.1 of the REST API; further APIs have free ones. Default: a free one. */
  readonly port?: number;
  /** A further address of this machine that the APIs listen at; `0.0.0.0` is every one. Default: none. */
  readonly host?: string | undefined;
  /** Base URL of a DynamoDB that already runs. Default: the embedded engine. */
  readonly dynamodbEndpoint?: string | undefined;
  /** Directory the data is kept in between runs. Default: in memory. */
  readonly dataDir?: string | undefined;
  /** The value of a secret that a person would fill in after a deployment. Default: what the template says. */
  readonly secretValue?: (secret: TemplateSecret) => string | undefined;
  /** Environments of one function at once. Default: 4. */
  readonly maxEnvironments?: number;
  /**
   * Which functions have Node's inspector open: one environment each, which is never ended for taking long.
   * Default: none
   */
  readonly inspect?: ((logicalId: string) => boolean) | undefined;
  /** Receives each line a function writes. */
  readonly onLog?: OnLog;
  /** Receives AWS's words about each call that a role of the template does not allow. */
  readonly onDenied?: (refusal: string) => void;
  /** Receives each step when it is done, with its duration in milliseconds. */
  readonly onStep?: (name: string, ms: number) => void;
  /** Receives each request and its response. */
  readonly onRequest?: OnRequest;
  /** Serves something beside the first API, on its port. Default: nothing */
  readonly respondBefore?: RespondBefore | undefined;
  /**
   * A stack that runs already, in whose account this one is to be: its SSM parameters give values to this template's
   * parameters, and APIs of each may invoke functions of the other. Default: an account of its own
   */
  readonly beside?: LocalStack;
  /** Values of the template's parameters. Default: those of the template */
  readonly parameters?: Readonly<Record<string, string>>;
}

/** An API that is served. */
interface LocalApi extends Pick<TemplateApi, 'logicalId' | 'protocol'> {
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
  /** Base URL of the emulated Secrets Manager. */
  readonly secretsManagerEndpoint: string;
  /** What the roles of the template allow, and what of it has been used so far. */
  accessReport(): AccessReport;
  /** Knows what resources are called. */
  readonly resolver: Resolver;
  /** Invokes a function by logical id or ARN. */
  invoke(target: string, event: Json): Promise<Invocation>;
  /**
   * Puts what a function's bundle is now in place of what runs.
   *
   * @throws LocalRunError when it does not start, with what it said
   */
  replace(target: string): Promise<void>;
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
    const run = { options, step: measured(options.onStep), onClose: (end: End) => void started.push(end) };
    return { ...(await start(run)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

type End = () => Promise<void>;

/** What every part of a start needs. */
interface Run {
  readonly options: LocalStackOptions;
  /** Does a piece of work and reports how long it took. */
  readonly step: <T>(name: string, work: () => T | Promise<T>) => Promise<T>;
  /** Keeps what ends a part that has been started. */
  readonly onClose: (end: End) => void;
}

const measured =
  (onStep: LocalStackOptions['onStep']): Run['step'] =>
  async (name, work) => {
    const startedAt = performance.now();
    const result = await work();
    onStep?.(name, performance.now() - startedAt);
    return result;
  };

async function start(run: Run): Promise<Omit<LocalStack, 'close'>> {
  const { options, step, onClose } = run;
  const account = options.beside?.account ?? createAccount();
  const { port = 0, onRequest, respondBefore, host } = options;
  const gateway = await startGateway(port, onRequest, respondBefore, host);
  onClose(gateway.close);

  // The two long waits at once; the database is waited for first, so that it is always ended again.
  const directory = step('synth', () => options.assembly(gateway.url));
  directory.catch(() => {});
  const database = await startDatabaseOf(run);
  const resolver = createResolver(loadTemplate(await directory), {
    parameters: options.parameters ?? {},
    ssmValue: account.ssmValue,
  });

  const access = createAccessControl(resolver, options.onDenied);
  const tables = await serveTables(run, resolver, access, database);
  const rotations = readRotations(resolver);
  // Secrets Manager calls functions, which have its address in their environment: it is there before them.
  const { promise: functions, resolve: setFunctions } = Promise.withResolvers<LambdaRuntime>();
  const secrets = await serveSecrets(run, resolver, access, async (event) =>
    rotateStep(await functions, rotations, event),
  );
  const endpoints = { dynamodb: tables.endpoint, secretsManager: secrets.endpoint };
  const lambda = createFunctions(run, resolver, account, endpoints);
  setFunctions(lambda);
  const apis = compileApis(resolver, account.invoke, endpoints);

  // The rotation runs first: functions may need, when they start, what it writes.
  await step('rotation', async () => {
    for (const { secretArn, immediately } of rotations) if (immediately) await secrets.rotate(secretArn);
  });
  const rotators = rotations.map(({ functionArn }) => functionArn);
  const awaited = lambda.functions.filter(({ arn }) => !rotators.includes(arn));
  await step('functions', () => Promise.all(awaited.map(({ logicalId }) => lambda.warm(logicalId))));

  for (const { served } of apis) await served.create?.();

  return {
    url: gateway.url,
    apis: await serveApis(run, apis, gateway),
    account,
    dynamodbEndpoint: tables.endpoint,
    accessReport: access.report,
    tableNames: tables.names,
    secretsManagerEndpoint: secrets.endpoint,
    resolver,
    invoke: lambda.invoke,
    replace: lambda.replace,
    rotate: secrets.rotate,
  };
}

function inDataDir({ options: { dataDir } }: Run, file: string): string | undefined {
  return dataDir && path.join(dataDir, file);
}

/** @returns base URL of the database */
async function startDatabaseOf(run: Run): Promise<string> {
  const { dynamodbEndpoint, beside } = run.options;
  const database = await run.step('database', () =>
    startDatabase({
      endpoint: dynamodbEndpoint ?? beside?.dynamodbEndpoint,
      dataFile: inDataDir(run, 'dynamodb.sqlite'),
    }),
  );
  run.onClose(database.stop);
  return database.endpoint;
}

async function serveTables(
  { step, onClose }: Run,
  resolver: Resolver,
  access: AccessControl,
  database: string,
): Promise<{ readonly names: readonly string[]; readonly endpoint: string }> {
  const names = await step('tables', () => createTables(resolver, database));
  const gate = await startDynamodbGate({ database, access, partitionKeys: readPartitionKeys(resolver) });
  onClose(gate.close);
  return { names, endpoint: gate.endpoint };
}

async function serveSecrets(
  run: Run,
  resolver: Resolver,
  access: AccessControl,
  invokeRotation: (step: RotationStep) => Promise<void>,
): Promise<LocalSecretsManager> {
  const { secretValue } = run.options;
  const secrets = readSecrets(resolver).map((secret) => ({
    ...secret,
    value: secretValue?.(secret) ?? secret.value,
  }));
  const dataFile = inDataDir(run, 'secrets.json');
  const server = await run.step('secrets', () =>
    startSecretsManager({ secrets, invokeRotation, access, dataFile }),
  );
  run.onClose(server.close);
  return server;
}

/** One process, so that every invocation meets its breakpoints, and the longest time that a timer can wait. */
const inspected = { inspect: true, maxEnvironments: 1, timeoutMs: 2 ** 31 - 1 };

function createFunctions(
  { options, onClose }: Run,
  resolver: Resolver,
  account: LocalAccount,
  endpoints: ServiceEndpoints,
): LambdaRuntime {
  const functions = readFunctions(resolver, endpoints, options.maxEnvironments).map((spec) =>
    options.inspect?.(spec.logicalId) ? { ...spec, ...inspected } : spec,
  );
  const runtime = createLambdaRuntime(functions, options.onLog);
  onClose(runtime.close);
  const leave = account.add(resolver, runtime);
  onClose(async () => leave());
  return runtime;
}

/** @throws LocalRunError naming the step that failed */
async function rotateStep(
  lambda: LambdaRuntime,
  rotations: readonly TemplateRotation[],
  event: RotationStep,
): Promise<void> {
  const rotation = rotations.find(({ secretArn }) => secretArn === event.SecretId);
  if (rotation === undefined)
    throw new LocalRunError(`No function of the template rotates ${event.SecretId}.`);
  const invocation = await lambda.invoke(rotation.functionArn, { ...event });
  if (!invocation.ok)
    throw new LocalRunError(
      `Rotating ${event.SecretId} failed at ${event.Step}: ${invocation.error.errorType}: ${invocation.error.errorMessage}`,
    );
}

/** Each API on a port of its own, the first one at the gateway that already listens. */
async function serveApis(
  { options, onClose }: Run,
  apis: readonly TemplateApi[],
  first: Gateway,
): Promise<readonly LocalApi[]> {
  const served: LocalApi[] = [];
  for (const { logicalId, protocol, served: api } of apis) {
    const gateway =
      served.length === 0 ? first : await startGateway(0, options.onRequest, undefined, options.host);
    if (gateway !== first) onClose(gateway.close);
    gateway.serve(api);
    const url = protocol === 'WEBSOCKET' ? gateway.url.replace('http:', 'ws:') : gateway.url;
    served.push({ logicalId, protocol, url });
  }
  return served;
}
