/** `npm start`: the whole service on this machine, a demo login, and a line per request until Ctrl-C. */
import { LocalRunError, type LocalStackOptions } from 'local-aws';
import { type LocalService, startLocalService } from '../local/service.ts';
import { defineCommand, type Io, print, runIfMain } from './command/command.ts';
import { CommandError } from './command/errors.ts';
import {
  buildPackage,
  demonstrateExample,
  type Example,
  startExample,
  synthesizeExample,
} from './start/example.ts';
import { logLine, requestLine } from './start/log-lines.ts';
import { readVariables } from './start/options.ts';

const USAGE = `Usage: npm start
       npm start -- --with-example     another team's service beside it

Variables, all optional:
  PORT                           of the API. Default: 3000
  WECHAT_APPID, WECHAT_SECRET    a mini-program of yours, for logins at the real WeChat
  WECHAT_API_BASE                URLs of another WeChat, separated by commas
  DYNAMODB_ENDPOINT              a DynamoDB that already runs
  DATA_DIR                       directory that keeps the data between runs`;

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** Logs a demo user in through the gateway and opens protected routes with the token. */
async function demonstrate(
  { url, dynamodbEndpoint, tableNames }: LocalService,
  example: Example | undefined,
): Promise<string> {
  const body = JSON.stringify({ code: 'demo-xiaoming', nickName: '小明' });
  const login = await fetch(`${url}/member/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  const { data, msg } = (await login.json()) as { data?: { user_id: string; token: string }; msg: string };
  if (data === undefined) throw new CommandError(`The demo login failed: ${msg}`);
  const loginLine = `curl -s ${url}/member/login -H 'content-type: application/json' -d '${body}'`;
  const me = await fetch(`${url}/member/me`, { headers: { authorization: `Bearer ${data.token}` } });
  const shown = `
demo-xiaoming logged in as user ${data.user_id}
with a token of ${data.token.length} characters, which opens GET /member/me: ${await me.text()}

Log in yourself:

  ${loginLine}

and send the token along:

  curl -s ${url}/member/me -H 'authorization: Bearer <token>'

Be the operator:

  npm run doctor -- --url ${url}
  npm run members -- find --user-id ${data.user_id} --local ${dynamodbEndpoint} --table ${tableNames[0]}
`;
  return example === undefined
    ? shown
    : `${shown}\n${await demonstrateExample(example, loginLine, data.token)}`;
}

interface Running {
  service?: LocalService;
  example?: Example;
}

async function close({ service, example }: Running): Promise<void> {
  await example?.close();
  await service?.close();
}

/** Fills in what runs as soon as it does, so that Ctrl-C ends it at any time. */
async function start(withExample: boolean, running: Running, { env, stdout, stderr }: Io): Promise<void> {
  const startedAt = performance.now();
  const options = readVariables(env);
  print(stdout, 'Starting the service from its synthesized template');
  const onStep = (name: string, ms: number): void => print(stdout, `  ${name.padEnd(12)} ${seconds(ms)}`);
  const lines: Pick<LocalStackOptions, 'onRequest' | 'onLog' | 'onDenied'> = {
    onRequest: (record) => print(stdout, requestLine(record)),
    onLog: (functionId, line) => {
      const shown = logLine(functionId, line);
      if (shown !== undefined) print(stdout, shown);
    },
    onDenied: (refusal) => print(stderr, `IAM: ${refusal}`),
  };
  const service = await startLocalService({ ...options, ...lines, onStep });
  running.service = service;
  if (withExample) {
    const exampleStartedAt = performance.now();
    await buildPackage();
    running.example = await startExample(service, await synthesizeExample('dev'), lines);
    onStep('example', performance.now() - exampleStartedAt);
  }
  if (service.simulatorUrl === undefined) {
    const [{ appid }] = service.miniPrograms;
    print(stdout, `\nLogins of ${appid} go to ${options.wechatApiBases?.join(', ')}`);
  } else {
    print(stdout, await demonstrate(service, running.example));
    print(stdout, `The WeChat simulator is at ${service.simulatorUrl}; any code demo-<name> logs in.`);
  }
  print(stdout, `Ready after ${seconds(performance.now() - startedAt)}; Ctrl-C ends it.`);
  print(stdout, `listening on ${service.url}`);
}

/** Starts the service, which keeps the process alive until Ctrl-C. */
export const run = defineCommand({
  usage: USAGE,
  options: { 'with-example': { type: 'boolean' } },
  body: async ({ values }, io) => {
    const running: Running = {};
    let ending = false;
    const end = async (): Promise<void> => {
      if (ending) process.exit(1);
      ending = true;
      await close(running);
      process.exit(0);
    };
    process.on('SIGINT', end).on('SIGTERM', end);
    try {
      await start(values['with-example'] === true, running, io);
      return 0;
    } catch (error) {
      process.off('SIGINT', end).off('SIGTERM', end);
      await close(running);
      throw error instanceof LocalRunError ? new CommandError(error.message) : error;
    }
  },
});

await runIfMain(import.meta, run);
