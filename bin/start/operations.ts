/** What an operator can do to a local run, with the code that does it on a deployed stage. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  TagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import { DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { decodeJwt, decodeProtectedHeader, importJWK, type JWTPayload, SignJWT } from 'jose';
import { DROP_KEY_TAG, KEY_PUBLIC_BEFORE_USE_SECONDS } from '../../functions/contracts/key-schedule.ts';
import { openidIndex } from '../../functions/contracts/table.ts';
import { TOKEN_ALGORITHM } from '../../functions/contracts/token.ts';
import { createPrivateJwk, type KeyRing, parseKeyRing } from '../../functions/keys/key-ring.ts';
import { createRevocations } from '../../functions/tokens/revocations.ts';
import { createAdministration } from '../../functions/users/administer.ts';
import { userFromItem } from '../../functions/users/user.ts';
import type { OddToken, Operations, RunAddresses } from '../../local/console/run-state.ts';
import type { LocalService } from '../../local/service.ts';
import { localIdentity } from '../command/local-identity.ts';

const ORDER = { by: 'local:console', reason: 'tried out on this machine' };

/** Where the parts of a run are. */
export function addressesOf(service: LocalService): RunAddresses {
  const arnOf = (prefix: string): string => {
    const secret = service.resolver
      .resourcesOf('AWS::SecretsManager::Secret')
      .find(({ logicalId }) => logicalId.startsWith(prefix));
    return secret === undefined ? '' : String(service.resolver.names(secret.logicalId).ref);
  };
  return {
    url: service.url,
    dynamodb: service.dynamodbEndpoint,
    table: service.tableNames[0] ?? '',
    secretsManager: service.secretsManagerEndpoint,
    keyRingArn: arnOf('KeyRing'),
    wechatSecretsArn: arnOf('WechatSecrets'),
    appids: service.miniPrograms.map(({ appid }) => appid),
    ...(service.simulatorUrl !== undefined && { simulator: service.simulatorUrl }),
  };
}

export function createOperations(service: LocalService, addresses: RunAddresses): Operations {
  const client = DynamoDBDocumentClient.from(
    new DynamoDBClient({ endpoint: addresses.dynamodb, ...localIdentity }),
    { marshallOptions: { removeUndefinedValues: true } },
  );
  const secrets = new SecretsManagerClient({ endpoint: addresses.secretsManager, ...localIdentity });
  const table = { client, tableName: addresses.table, now: Date.now };
  const administration = createAdministration({ ...table, revocations: createRevocations(table) });

  async function keyRing(): Promise<KeyRing> {
    const { SecretString } = await secrets.send(
      new GetSecretValueCommand({ SecretId: addresses.keyRingArn }),
    );
    const ring = parseKeyRing(SecretString);
    if (ring === undefined) throw new Error('There is no key ring yet');
    return ring;
  }

  return {
    async users() {
      const { Items = [] } = await client.send(
        new ScanCommand({
          TableName: addresses.table,
          FilterExpression: 'attribute_exists(#openid) AND attribute_exists(#appid)',
          ExpressionAttributeNames: {
            '#openid': openidIndex.partitionKey,
            '#appid': openidIndex.sortKey,
          },
        }),
      );
      return Items.map(userFromItem)
        .map(({ userId, appid, openid, username, status, lastLoginAt }) => ({
          user_id: userId,
          appid,
          openid,
          username,
          status,
          last_login_at: lastLoginAt,
        }))
        .sort((a, b) => b.last_login_at - a.last_login_at || a.user_id.localeCompare(b.user_id));
    },
    changeUser: (what, userId) => administration[what](userId, ORDER),
    async keys() {
      const { current, next, retired } = await keyRing();
      return {
        current: { kid: current.kid, published_at: current.published_at },
        next: { kid: next.kid, published_at: next.published_at },
        retired: retired.map(({ kid, remove_after }) => ({ kid, remove_after })),
      };
    },
    async ageKeys() {
      const { next, ...ring } = await keyRing();
      const aged = { ...next, published_at: next.published_at - KEY_PUBLIC_BEFORE_USE_SECONDS };
      await secrets.send(
        new PutSecretValueCommand({
          SecretId: addresses.keyRingArn,
          SecretString: JSON.stringify({ ...ring, next: aged }),
        }),
      );
    },
    rotate: () => service.rotate(addresses.keyRingArn),
    async drop(kid) {
      await secrets.send(
        new TagResourceCommand({
          SecretId: addresses.keyRingArn,
          Tags: [{ Key: DROP_KEY_TAG + kid, Value: new Date().toISOString() }],
        }),
      );
      await service.rotate(addresses.keyRingArn);
    },
    async oddToken(kind) {
      const token = await tokenOfDemo(addresses.url);
      if (kind === 'revoked') {
        await post(`${addresses.url}/member/logout`, {}, token);
        return token;
      }
      return spoilt(kind, token, await keyRing());
    },
  };
}

/** Of a login like any other. */
async function tokenOfDemo(url: string): Promise<string> {
  const { data, msg } = await post(`${url}/member/login`, { code: 'demo-odd-tokens' });
  if (data?.token === undefined) throw new Error(`The login for this token was refused: ${msg}`);
  return data.token;
}

async function post(
  url: string,
  body: object,
  token?: string,
): Promise<{ readonly data?: { readonly token?: string }; readonly msg: string }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Awaited<ReturnType<typeof post>>;
}

const HOUR = 3600;

/** A valid token with one thing wrong: signed again with the key that signs, or with another one under its name. */
async function spoilt(
  kind: Exclude<OddToken, 'revoked'>,
  token: string,
  { current }: KeyRing,
): Promise<string> {
  const claims = decodeJwt(token);
  const changes: Readonly<Record<typeof kind, JWTPayload>> = {
    expired: { iat: (claims.iat ?? 0) - 2 * HOUR, exp: (claims.iat ?? 0) - HOUR },
    foreign_audience: { aud: 'another-service' },
    wrongly_signed: {},
  };
  const jwk = kind === 'wrongly_signed' ? await createPrivateJwk() : current.private_jwk;
  return new SignJWT({ ...claims, ...changes[kind] })
    .setProtectedHeader({ ...decodeProtectedHeader(token), alg: TOKEN_ALGORITHM, kid: current.kid })
    .sign(await importJWK(jwk, TOKEN_ALGORITHM));
}
