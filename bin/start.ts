/** `npm start`: the whole service on this machine, a demo login, and a line per request until Ctrl-C. */

import { parseArgs } from 'node:util';
import { LocalRunError, type RequestRecord } from 'local-aws';
import { APPID, isWechatApiBase } from '../lib/settings.ts';
import { type LocalService, type MiniProgram, startLocalService } from '../local/service.ts';
import {
  buildPackage,
  demonstrateExample,
  type Example,
  startExample,
  synthesizeExample,
} from './start/example.ts';
import { isNoteworthy } from './start/log-lines.ts';

const REAL_WECHAT = ['https://api.weixin.qq.com', 'https://api2.weixin.qq.com'];

/** What the variables ask for. @throws LocalRunError naming the variable and what is allowed */
function readOptions(variables: NodeJS.ProcessEnv) {
  const value = (name: string): string | undefined => variables[name] || undefined;
  const port = value('PORT') ?? '3000';
  if (!/^\d+$/.test(port) || Number(port) > 65_535) {
    throw new LocalRunError('PORT must be a whole number from 0 to 65535.');
  }
  const appid = value('WECHAT_APPID');
  const secret = value('WECHAT_SECRET');
  if ((appid === undefined) !== (secret === undefined)) {
    throw new LocalRunError('WECHAT_APPID and WECHAT_SECRET go together: set both or none.');
  }
  if (appid !== undefined && !APPID.test(appid)) {
    throw new LocalRunError('WECHAT_APPID must be an AppID: wx and letters or digits.');
  }
  const miniPrograms: [MiniProgram] | undefined =
    appid !== undefined && secret !== undefined ? [{ appid, secret }] : undefined;
  const bases = value('WECHAT_API_BASE')
    ?.split(',')
    .map((base) => base.trim());
  if (bases?.every(isWechatApiBase) === false) {
    throw new LocalRunError('WECHAT_API_BASE must be http(s) URLs without a query, separated by commas.');
  }
  return {
    port: Number(port),
    miniPrograms,
    wechatApiBases: bases ?? (miniPrograms && REAL_WECHAT),
    dynamodbEndpoint: value('DYNAMODB_ENDPOINT'),
    dataDir: value('DATA_DIR'),
  };
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function printRequest({ method, path, status, durationMs, refusal, fault }: RequestRecord): void {
  const why = [refusal, fault].filter((text) => text !== undefined).join(': ');
  const time = new Date().toTimeString().slice(0, 8);
  console.log(`${time} ${method} ${path} ${status} ${Math.round(durationMs)} ms ${why}`.trimEnd());
}

function printLog(functionId: string, line: string): void {
  if (isNoteworthy(line)) console.log(`         ${functionId}: ${line}`);
}

/** Whether another team's service is to run beside ours. @throws LocalRunError when anything else is asked for */
function wantsExample(argv: readonly string[]): boolean {
  try {
    const { values } = parseArgs({ args: [...argv], options: { 'with-example': { type: 'boolean' } } });
    return values['with-example'] === true;
  } catch (cause) {
    throw new LocalRunError('The only option is --with-example.', { cause });
  }
}

/** Logs a demo user in through the gateway and opens protected routes with the token. */
async function demonstrate(
  { url, dynamodbEndpoint, tableNames }: LocalService,
  example: Example | undefined,
): Promise<void> {
  const body = JSON.stringify({ code: 'demo-xiaoming', nickName: '小明' });
  const login = await fetch(`${url}/member/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  const { data, msg } = (await login.json()) as { data?: { user_id: string; token: string }; msg: string };
  if (data === undefined) throw new LocalRunError(`The demo login failed: ${msg}`);
  const loginLine = `curl -s ${url}/member/login -H 'content-type: application/json' -d '${body}'`;
  const me = await fetch(`${url}/member/me`, { headers: { authorization: `Bearer ${data.token}` } });
  console.log(`
demo-xiaoming logged in as user ${data.user_id}
with a token of ${data.token.length} characters, which opens GET /member/me: ${await me.text()}

Log in yourself:

  ${loginLine}

and send the token along:

  curl -s ${url}/member/me -H 'authorization: Bearer <token>'

Be the operator:

  npm run doctor -- --url ${url}
  npm run members -- find --user-id ${data.user_id} --local ${dynamodbEndpoint} --table ${tableNames[0]}
`);
  if (example !== undefined) console.log(await demonstrateExample(example, loginLine, data.token));
}

async function main(): Promise<void> {
  const startedAt = performance.now();
  let service: LocalService | undefined;
  let example: Example | undefined;
  let ending = false;
  const end = async (): Promise<void> => {
    if (ending) process.exit(1);
    ending = true;
    await example?.close();
    await service?.close();
    process.exit(0);
  };
  process.on('SIGINT', end).on('SIGTERM', end);

  const options = readOptions(process.env);
  const withExample = wantsExample(process.argv.slice(2));
  console.log('Starting the service from its synthesized template');
  const printStep = (name: string, ms: number) => console.log(`  ${name.padEnd(12)} ${seconds(ms)}`);
  const print = {
    onRequest: printRequest,
    onLog: printLog,
    onDenied: (refusal: string) => console.error(`IAM: ${refusal}`),
  };
  service = await startLocalService({ ...options, ...print, onStep: printStep });
  if (withExample) {
    const exampleStartedAt = performance.now();
    await buildPackage();
    example = await startExample(service, await synthesizeExample('dev'), print);
    printStep('example', performance.now() - exampleStartedAt);
  }
  if (service.simulatorUrl === undefined) {
    const [{ appid }] = service.miniPrograms;
    console.log(`\nLogins of ${appid} go to ${options.wechatApiBases?.join(', ')}`);
  } else {
    await demonstrate(service, example);
    console.log(`The WeChat simulator is at ${service.simulatorUrl}; any code demo-<name> logs in.`);
  }
  console.log(`Ready after ${seconds(performance.now() - startedAt)}; Ctrl-C ends it.`);
  console.log(`listening on ${service.url}`);
}

main().catch((error: unknown) => {
  // What a person can act on is one sentence; anything else is our bug and shows where.
  console.error(error instanceof LocalRunError ? error.message : error);
  process.exit(1);
});
