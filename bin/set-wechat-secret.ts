/** `npm run set-wechat-secret`: fills in the AppSecret of one mini-program and keeps those of the others. */
import { parseArgs } from 'node:util';
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import * as v from 'valibot';
import { APPID } from '../lib/settings.ts';
import { stageValue } from './command/deployment.ts';
import { CommandError, endWith } from './command/errors.ts';
import { NEVER_AN_ARGUMENT, readAppSecret } from './set-wechat-secret/appsecret-input.ts';

const USAGE = `Usage: npm run set-wechat-secret -- --stage <stage> --appid <appid>
       npm run set-wechat-secret -- --secret-arn <WechatSecretsArn> --appid <appid>
The AppSecret is asked for, or read from standard input.`;

/** To valibot an array is a record too. */
const secretsByAppid = v.pipe(
  v.unknown(),
  v.check((value) => !Array.isArray(value)),
  v.record(v.string(), v.string()),
);

interface Request {
  readonly secretArn: string;
  readonly appid: string;
  /** Mini-programs that the stage serves; undefined when it was not asked. */
  readonly served: readonly string[] | undefined;
}

async function readRequest(): Promise<Request> {
  const { stage, appid = '', 'secret-arn': arn } = readOptions();
  if ((stage === undefined) === (arn === undefined) || appid === '') throw new CommandError(USAGE);
  // The console shows the two beside each other, and they are easily mixed up.
  if (!APPID.test(appid))
    throw new CommandError(
      /^[0-9a-f]{32}$/i.test(appid)
        ? NEVER_AN_ARGUMENT
        : '--appid must be the AppID that the mini-program console shows: wx and letters or digits.',
    );
  const secretArn = stage === undefined ? (arn ?? '') : await stageValue(stage, 'wechat-secrets-arn');
  if (!/^arn:[\w-]+:secretsmanager:[\w-]+:\d+:secret:/.test(secretArn)) throw new CommandError(USAGE);
  const served = stage === undefined ? undefined : (await stageValue(stage, 'appids')).split(',');
  return { secretArn, appid, served };
}

function readOptions() {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({ options: { stage: text, appid: text, 'secret-arn': text } }).values;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!code.startsWith('ERR_PARSE_ARGS_')) throw error;
    // Its message would repeat what may be the secret.
    throw new CommandError(
      code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE' ? USAGE : `${NEVER_AN_ARGUMENT}\n\n${USAGE}`,
    );
  }
}

async function setWechatSecret({ secretArn: SecretId, appid, served }: Request): Promise<void> {
  const client = new SecretsManagerClient({ region: SecretId.split(':')[3] ?? '' });
  const { SecretString: text } = await client.send(new GetSecretValueCommand({ SecretId }));
  // Before the question: nobody should type a secret for nothing.
  const present = parse(text);
  const secret = await readAppSecret(appid);
  const secrets = { ...present, [appid]: secret };
  await client
    .send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify(secrets) }))
    .catch((error: Error) => {
      // AWS may quote what it refuses.
      throw new CommandError(`Could not write the secret: ${error.name}`);
    });
  const filledIn = Object.keys(secrets).filter((each) => secrets[each] !== '');
  console.log(`Filled in now: ${filledIn.join(', ')}`);
  const missing = served?.filter((each) => !filledIn.includes(each)) ?? [];
  if (missing.length > 0) console.log(`Still without an AppSecret: ${missing.join(', ')}`);
  if (served?.includes(appid) === false)
    console.log(`${appid} is none of the stage's appids: nobody can log in to it before it is deployed.`);
}

/** @throws CommandError that quotes nothing of a text that cannot be read, unlike the parser's own error */
function parse(text: string | undefined): Readonly<Record<string, string>> {
  try {
    return v.parse(secretsByAppid, JSON.parse(text ?? ''));
  } catch {
    throw new CommandError(
      'The secret is damaged, and nothing was changed: it must be a JSON object of AppSecret by appid. ' +
        'Repair it in the Secrets Manager console, or put {} there and fill in every appid anew.',
    );
  }
}

try {
  await setWechatSecret(await readRequest());
} catch (error) {
  endWith(error);
}
