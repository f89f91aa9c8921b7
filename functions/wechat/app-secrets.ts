/** The AppSecrets, and what is set up for message push: fetched once per environment and refreshed in the background. */
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as v from 'valibot';
import { createRefreshedValue } from '../cache/refreshed-value.ts';
import type { Clock } from '../contracts/clock.ts';
import { jsonText } from '../contracts/schemas.ts';
import { DomainError } from '../errors/domain-error.ts';
import { ERRCODE, WechatError } from './errcodes.ts';

/** An AppSecret alone, or with what is filled in at WeChat for message push. */
const storedApp = v.union([
  v.pipe(
    v.string(),
    v.transform((secret) => ({ secret })),
  ),
  v.object({
    secret: v.optional(v.string()),
    push_token: v.optional(v.string()),
    encoding_aes_key: v.optional(v.string()),
  }),
]);
const storedSchema = v.pipe(jsonText, v.record(v.string(), storedApp));

type SecretsByAppid = v.InferOutput<typeof storedSchema>;

/** How soon a running function sees a secret that was filled in, at the latest. */
export const APP_SECRET_FOLLOWS_MS = 10_000;

/** The AppSecrets of the mini-programs served here. */
export interface AppSecrets {
  /**
   * @throws WechatError `wechat_misconfigured` when none is filled in for the appid.
   * @throws DomainError `unavailable` when Secrets Manager cannot be read.
   */
  secretFor(appid: string): Promise<string>;
  /** The same, read from Secrets Manager again, at most every ten seconds: WeChat has refused the one at hand. */
  renewedSecretFor(appid: string): Promise<string>;
}

/** Token and EncodingAESKey of a mini-program's message push. */
interface PushSecrets {
  readonly token: string;
  /** Absent where messages come in plaintext only. */
  readonly encodingAesKey?: string;
}

/** All that the secret holds. */
export interface WechatSecrets extends AppSecrets {
  /**
   * Undefined where no message push is set up.
   *
   * @throws DomainError `unavailable` when Secrets Manager cannot be read.
   */
  pushSecretsFor(appid: string): Promise<PushSecrets | undefined>;
}

/** Reads a secret that holds a JSON object by appid: an AppSecret, or `{secret, push_token, encoding_aes_key}`. */
export function createAppSecrets(options: {
  readonly client: SecretsManagerClient;
  readonly secretArn: string;
  readonly now: Clock;
}): WechatSecrets {
  const { client, secretArn, now } = options;
  const secrets = createRefreshedValue({
    load: async () => parse(await readText(client, secretArn)),
    refreshAfterMs: 5 * 60_000,
    cooldownMs: APP_SECRET_FOLLOWS_MS,
    now,
  });

  const find = async (appid: string, read: () => Promise<SecretsByAppid>) => {
    const known = await read();
    return Object.hasOwn(known, appid) ? known[appid] : undefined;
  };
  const pick = async (appid: string, read: () => Promise<SecretsByAppid>): Promise<string> => {
    const secret = (await find(appid, read))?.secret;
    if (!secret) {
      throw new WechatError('wechat_misconfigured', { reason: `no AppSecret is filled in for ${appid}` });
    }
    return secret;
  };

  return {
    async secretFor(appid) {
      try {
        return await pick(appid, secrets.get);
      } catch (error) {
        // It may have been filled in since.
        if (error instanceof WechatError) return pick(appid, secrets.refresh);
        throw error;
      }
    },
    renewedSecretFor: (appid) => pick(appid, secrets.refresh),
    async pushSecretsFor(appid) {
      const known = pushSecretsIn(await find(appid, secrets.get));
      // They may have been filled in since.
      return known ?? pushSecretsIn(await find(appid, secrets.refresh));
    },
  };
}

async function readText(client: SecretsManagerClient, secretArn: string): Promise<string | undefined> {
  try {
    const { SecretString: text } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
    return text;
  } catch (cause) {
    throw new DomainError('unavailable', {
      cause,
      reason: 'the AppSecrets cannot be read from Secrets Manager',
    });
  }
}

/**
 * Calls WeChat with the AppSecret of a mini-program. One that was reset in the console and filled in here works at
 * once, not after the next refresh.
 */
export async function withNewestSecret<T>(
  appSecrets: AppSecrets,
  appid: string,
  call: (secret: string) => Promise<T>,
): Promise<T> {
  const secret = await appSecrets.secretFor(appid);
  try {
    return await call(secret);
  } catch (error) {
    if (!(error instanceof WechatError) || error.errcode !== ERRCODE.invalidAppSecret) throw error;
    const renewed = await appSecrets.renewedSecretFor(appid);
    if (renewed === secret) throw error;
    return call(renewed);
  }
}

function pushSecretsIn(app: SecretsByAppid[string] | undefined): PushSecrets | undefined {
  if (app === undefined || !('push_token' in app) || !app.push_token) return undefined;
  const { push_token: token, encoding_aes_key: encodingAesKey } = app;
  return { token, ...(encodingAesKey && { encodingAesKey }) };
}

function parse(text: string | undefined): SecretsByAppid {
  const read = v.safeParse(storedSchema, text);
  if (read.success) return read.output;
  throw new WechatError('wechat_misconfigured', {
    reason: 'the WeChat secret is not a JSON object of AppSecret by appid',
  });
}
