/** `npm run set-wechat-secret`: fills in the AppSecret of one mini-program, or its message push, and keeps all else. */
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import * as v from 'valibot';
import { APPID } from '../functions/contracts/appids.ts';
import { APP_SECRET_FOLLOWS_MS } from '../functions/wechat/app-secrets.ts';
import type { RunState } from '../local/console/run-state.ts';
import { defineCommand, type Io, print, runIfMain } from './command/command.ts';
import { stageValue } from './command/deployment.ts';
import { CommandError, UsageError } from './command/errors.ts';
import { findLocalRun } from './command/local-run.ts';
import type { Given } from './command/options.ts';
import { localSecretsManager, secretsManagerFor } from './command/secret.ts';
import { NEVER_AN_ARGUMENT, readAppSecret, readPushSecrets } from './set-wechat-secret/appsecret-input.ts';

const USAGE = `Usage: npm run set-wechat-secret -- --stage <stage> --appid <appid>
       npm run set-wechat-secret -- --secret-arn <WechatSecretsArn> --appid <appid>
       npm run set-wechat-secret -- --local --appid <appid>        in the run of npm start
The AppSecret is typed when this asks for it, or read from standard input.
With --push the Token and the EncodingAESKey of its message push instead, on two lines; the second may be empty.`;

const text = { type: 'string' } as const;
const options = {
  stage: text,
  appid: text,
  'secret-arn': text,
  local: { type: 'boolean' },
  push: { type: 'boolean' },
} as const;

/** The form of before there was a message push, and the one with it: `functions/wechat/app-secrets.ts` reads both. */
const storedApp = v.union([
  v.string(),
  v.looseObject({
    secret: v.optional(v.string()),
    push_token: v.optional(v.string()),
    encoding_aes_key: v.optional(v.string()),
  }),
]);
type StoredApp = v.InferOutput<typeof storedApp>;

/** To valibot an array is a record too. */
const secretsByAppid = v.pipe(
  v.string(),
  v.parseJson(),
  v.check((value) => !Array.isArray(value)),
  v.record(v.string(), storedApp),
);

interface Request {
  readonly client: SecretsManagerClient;
  readonly secretArn: string;
  readonly appid: string;
  /** Mini-programs that the stage serves; undefined when no stage was named. */
  readonly served: readonly string[] | undefined;
  /** Whether Token and EncodingAESKey are to be filled in, and not the AppSecret. */
  readonly push: boolean;
}

async function readRequest(
  values: Given<typeof options>['values'],
  env: NodeJS.ProcessEnv,
): Promise<Request> {
  const { stage, appid, 'secret-arn': secretArn, local, push = false } = values;
  if (appid === undefined) throw new UsageError('Say whose AppSecret it is: --appid.');
  // The console shows the two beside each other, and they are easily mixed up.
  if (!APPID.test(appid))
    throw new UsageError(
      /^[0-9a-f]{32}$/i.test(appid)
        ? NEVER_AN_ARGUMENT
        : '--appid must be the AppID that the mini-program console shows: wx and letters or digits.',
    );
  if (local && stage === undefined && secretArn === undefined) {
    const { addresses } = await (await findLocalRun(env)).call<RunState>('state');
    return {
      client: localSecretsManager(addresses.secretsManager),
      secretArn: addresses.wechatSecretsArn,
      appid,
      served: addresses.appids,
      push,
    };
  }
  if (stage !== undefined && !local && secretArn === undefined) {
    const stageSecrets = await stageValue(stage, 'wechat-secrets-arn');
    return {
      client: secretsManagerFor(stageSecrets),
      secretArn: stageSecrets,
      appid,
      served: (await stageValue(stage, 'appids')).split(','),
      push,
    };
  }
  if (stage !== undefined || local || secretArn === undefined)
    throw new UsageError('Say where: --stage, --secret-arn or --local, one of them.');
  return { client: secretsManagerFor(secretArn), secretArn, appid, served: undefined, push };
}

async function setWechatSecret(
  { client, secretArn: SecretId, appid, served, push }: Request,
  io: Io,
): Promise<void> {
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId }));
  // Before the question: nobody should type a secret for nothing.
  const present = parse(SecretString);
  const known = Object.hasOwn(present, appid) ? present[appid] : undefined;
  const filled = push ? await withPush(known, appid, io) : withSecret(known, await readAppSecret(appid, io));
  const secrets = { ...present, [appid]: filled };
  await client
    .send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify(secrets) }))
    .catch((error: Error) => {
      // AWS may quote what it refuses.
      throw new CommandError(`Could not write the secret: ${error.name}`);
    });
  const filledIn = Object.keys(secrets).filter((each) => hasSecret(secrets[each]));
  if (push)
    print(io.stdout, `The message push of ${appid} is filled in; functions take it up within five minutes.`);
  print(io.stdout, `Filled in now: ${filledIn.join(', ')}`);
  print(io.stdout, `Running functions follow within ${APP_SECRET_FOLLOWS_MS / 1000} seconds.`);
  const missing = served?.filter((each) => !filledIn.includes(each)) ?? [];
  if (missing.length > 0) print(io.stdout, `Still without an AppSecret: ${missing.join(', ')}`);
  if (served?.includes(appid) === false)
    print(
      io.stdout,
      `${appid} is none of the stage's appids: nobody can log in to it before it is deployed.`,
    );
}

const hasSecret = (app: StoredApp | undefined): boolean =>
  Boolean(typeof app === 'string' ? app : app?.secret);

function withSecret(known: StoredApp | undefined, secret: string): StoredApp {
  return typeof known === 'object' ? { ...known, secret } : secret;
}

async function withPush(known: StoredApp | undefined, appid: string, io: Io): Promise<StoredApp> {
  const { token, encodingAesKey } = await readPushSecrets(appid, io);
  const { encoding_aes_key: _, ...app } = typeof known === 'string' ? { secret: known } : { ...known };
  return {
    ...app,
    push_token: token,
    ...(encodingAesKey !== '' && { encoding_aes_key: encodingAesKey }),
  };
}

/** @throws CommandError that quotes nothing of a text that cannot be read */
function parse(text: string | undefined): Readonly<Record<string, StoredApp>> {
  const read = v.safeParse(secretsByAppid, text);
  if (read.success) return read.output;
  throw new CommandError(
    'The secret is damaged, and nothing was changed: it must be a JSON object of AppSecret by appid. ' +
      'Repair it in the Secrets Manager console, or put {} there and fill in every appid anew.',
  );
}

export const run = defineCommand({
  usage: USAGE,
  options,
  unknownArgument: NEVER_AN_ARGUMENT,
  body: async ({ values }, io) => {
    await setWechatSecret(await readRequest(values, io.env), io);
    return 0;
  },
});

await runIfMain(import.meta, run);
