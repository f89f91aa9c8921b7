/** `npm start`: the whole service on this machine, a demo login, and a line per request until Ctrl-C. */
import { rmSync } from 'node:fs';
import { LocalRunError, type LocalStackOptions, makeTemporaryDirectory } from 'local-aws';
import { routes } from '../functions/contracts/routes.ts';
import { settingsFor } from '../lib/stages.ts';
import { type Controls, createControls } from '../local/console/controls.ts';
import { createJournal } from '../local/console/journal.ts';
import { serveConsole } from '../local/console/server.ts';
import { keptAddress } from '../local/data-dir.ts';
import { demoMiniPrograms, type LocalService, startLocalService } from '../local/service.ts';
import { defineCommand, type Io, print, runIfMain } from './command/command.ts';
import { CommandError } from './command/errors.ts';
import { announceRun } from './command/local-run.ts';
import { painter } from './command/output.ts';
import { bundlesIn, isFunction, type RunningBundle } from './start/bundles.ts';
import { buildPackage, type Example, routesOf, startExample, synthesizeExample } from './start/example.ts';
import { introductionOf } from './start/introduction.ts';
import { logLine, requestLine } from './start/log-lines.ts';
import { addressesOf, createOperations } from './start/operations.ts';
import { readVariables } from './start/options.ts';
import { phoneLines } from './start/phones.ts';
import { watchSources } from './start/watch.ts';

const USAGE = `Usage: npm start
       npm start -- --with-example     another team's service beside it
       npm run dev                     what is saved in lib/ and functions/ is put in place

Variables, all optional:
  PORT                           of the API. Default: that of the data in DATA_DIR, else 3000
  HOST                           0.0.0.0, or an address of this machine: phones of its network reach the API
  WECHAT_APPID, WECHAT_SECRET    a mini-program of yours, for logins at the real WeChat
  WECHAT_PUSH_TOKEN, WECHAT_ENCODING_AES_KEY
                                 what its console shows for message push
  WECHAT_API_BASE                URLs of another WeChat, separated by commas
  CONTENT_CHECK                  nicknames: WeChat checks them before they are stored
  DYNAMODB_ENDPOINT              a DynamoDB that already runs
  DATA_DIR                       directory that keeps the data between runs
  INSPECT                        login, member, account, authorizer or rotation: opens Node's inspector for it`;

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

type Variables = ReturnType<typeof readVariables>;

/** What a start is told: the variables, and the command line. */
interface Wanted extends Variables {
  readonly withExample: boolean;
}

interface Running {
  service?: LocalService;
  example?: Example;
  bundles?: readonly RunningBundle[];
}

/** Resolves to what it has ended. */
async function close(running: Running): Promise<readonly string[]> {
  const { example, service } = running;
  await example?.close();
  await service?.close();
  delete running.example;
  delete running.service;
  if (service === undefined) return [];
  return [
    `the service at ${service.url} with its functions, database and secrets`,
    ...(service.simulatorUrl === undefined ? [] : ['the WeChat simulator']),
    ...(example === undefined ? [] : ["the other team's service"]),
  ];
}

/** Fills in what runs as soon as it does, so that Ctrl-C ends it at any time. */
async function start(wanted: Wanted, running: Running, { stdout, stderr }: Io): Promise<LocalService> {
  const { withExample, inspect, ...options } = wanted;
  const paint = painter(stdout);
  const onStep = (name: string, ms: number): void =>
    print(stdout, `  ${name.padEnd(12)} ${paint('faint', seconds(ms))}`);
  const journal = createJournal();
  const lines: Pick<LocalStackOptions, 'onRequest' | 'onLog' | 'onDenied'> = {
    onRequest: (record) => {
      journal.request(record);
      print(stdout, requestLine(record, paint));
    },
    onLog: (functionId, line, invocationId) => {
      journal.line(functionId, line, invocationId);
      const shown = logLine(functionId, line);
      if (shown !== undefined) print(stdout, shown);
    },
    onDenied: (refusal) => print(stderr, `IAM: ${refusal}`),
  };
  const controls = Promise.withResolvers<Controls>();
  const service = await startLocalService({
    ...options,
    miniPrograms: options.miniPrograms ?? demoMiniPrograms(settingsFor('dev').appids),
    ...lines,
    onStep,
    wechatHosts: 2,
    respondBefore: serveConsole(controls.promise, journal),
    prepare: (assembly) => {
      running.bundles = bundlesIn(assembly, inspect);
      running.bundles.find(({ name }) => name === inspect)?.build();
    },
    inspect: inspect && ((logicalId) => isFunction(inspect, logicalId)),
  });
  running.service = service;
  const addresses = addressesOf(service);
  controls.resolve(
    createControls({
      simulator: service.simulator,
      operations: createOperations(service, addresses),
      addresses,
      routes: routes.map(({ method, path }) => `${method} ${path}`),
      foreignRoutes: () => (running.example === undefined ? [] : routesOf(running.example)),
    }),
  );
  if (withExample) {
    const exampleStartedAt = performance.now();
    await buildPackage();
    // Where examples/mini-program expects it; anywhere when the service itself may be anywhere.
    const port = options.port % 65_535 === 0 ? 0 : options.port + 1;
    running.example = await startExample(service, await synthesizeExample('dev'), {
      ...lines,
      port,
      host: wanted.host,
    });
    onStep('example', performance.now() - exampleStartedAt);
  }
  return service;
}

/** Puts what is saved in place. */
function watchFor(wanted: Wanted, running: Running, url: string, io: Io): void {
  watchSources({
    bundles: () => running.bundles ?? [],
    replace: async (logicalId) => running.service?.replace(logicalId),
    restart: async () => {
      await close(running);
      await start({ ...wanted, port: Number(new URL(url).port) }, running, io);
    },
    report: (line) => print(io.stdout, line),
  });
}

/** Users and keys outlive a restart; they are gone with the process. */
async function temporaryData(): Promise<string> {
  const { directory } = await makeTemporaryDirectory();
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Starts the service, which keeps the process alive until Ctrl-C. */
export const run = defineCommand({
  usage: USAGE,
  options: { 'with-example': { type: 'boolean' }, watch: { type: 'boolean' } },
  body: async ({ values }, io) => {
    const running: Running = {};
    let ending = false;
    const end = async (): Promise<void> => {
      if (ending) process.exit(1);
      ending = true;
      const ended = await close(running);
      if (ended.length > 0) print(io.stdout, `\nEnded: ${ended.join('; ')}.`);
      process.exit(0);
    };
    process.on('SIGINT', end).on('SIGTERM', end);
    try {
      const startedAt = performance.now();
      const variables = readVariables(io.env);
      const wanted: Wanted = {
        ...variables,
        dataDir: variables.dataDir ?? (values.watch ? await temporaryData() : undefined),
        withExample: values['with-example'] === true,
      };
      const { address, port } = variables;
      const before = variables.dataDir && keptAddress(variables.dataDir)?.origin;
      const now = `http://${address}:${port}`;
      if (before && before !== now)
        print(
          io.stderr,
          `Tokens that were handed out at ${before} are refused at ${now}: the address is their issuer. PORT and HOST decide about it.`,
        );
      print(io.stdout, 'Starting the service from its synthesized template');
      const service = await start(wanted, running, io);
      print(io.stdout, await introductionOf(service, running.example, wanted.wechatApiBases));
      const phones = phoneLines(service);
      if (phones !== undefined) print(io.stdout, phones);
      announceRun(service.url);
      if (values.watch) watchFor(wanted, running, service.url, io);
      print(io.stdout, `Ready after ${seconds(performance.now() - startedAt)}; Ctrl-C ends it.`);
      print(io.stdout, `listening on ${service.url}`);
      return 0;
    } catch (error) {
      process.off('SIGINT', end).off('SIGTERM', end);
      await close(running);
      throw error instanceof LocalRunError ? new CommandError(error.message) : error;
    }
  },
});

await runIfMain(import.meta, run);
