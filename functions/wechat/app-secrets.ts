/** The AppSecrets, fetched once per environment and refreshed in the background. */
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as v from 'valibot';
import { createRefreshedValue } from '../cache/refreshed-value.ts';
import type { Clock } from '../contracts/clock.ts';
import { jsonText } from '../contracts/schemas.ts';
import { DomainError } from '../errors/domain-error.ts';
import { ERRCODE, WechatError } from './errcodes.ts';

const storedSchema = v.pipe(jsonText, v.record(v.string(), v.string()));

type SecretsByAppid = Readonly<Record<string, string>>;

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

/** Reads AppSecrets from a secret that holds a JSON object: AppSecret by appid. */
export function createAppSecrets(options: {
  readonly client: SecretsManagerClient;
  readonly secretArn: string;
  readonly now: Clock;
}): AppSecrets {
  const { client, secretArn, now } = options;
  const secrets = createRefreshedValue({
    load: async () => parse(await readText(client, secretArn)),
    refreshAfterMs: 5 * 60_000,
    cooldownMs: APP_SECRET_FOLLOWS_MS,
    now,
  });

  const pick = async (appid: string, read: () => Promise<SecretsByAppid>): Promise<string> => {
    const known = await read();
    const secret = Object.hasOwn(known, appid) ? known[appid] : undefined;
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

function parse(text: string | undefined): SecretsByAppid {
  const read = v.safeParse(storedSchema, text);
  if (read.success) return read.output;
  throw new WechatError('wechat_misconfigured', {
    reason: 'the WeChat secret is not a JSON object of AppSecret by appid',
  });
}
