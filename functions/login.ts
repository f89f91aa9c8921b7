/** The routes that sign tokens: wires them to WeChat, DynamoDB and Secrets Manager. */
import { createDocumentClient, createSecretsClient, openConnection } from './aws/clients.ts';
import { createUndiciHandler } from './aws/undici-handler.ts';
import { readEnvironment } from './contracts/environment.ts';
import { createHttpHandler } from './http/handler.ts';
import { createSigningKeySource } from './keys/signing-key.ts';
import { createLogIn } from './login/log-in.ts';
import { measureLogins } from './login/login-metrics.ts';
import { createLoginRoute } from './login/login-route.ts';
import { createNameAdmission } from './login/name-admission.ts';
import { createRefreshRoute } from './login/refresh-route.ts';
import { createSpentCodes } from './login/spent-codes.ts';
import { log } from './telemetry/logger.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { createTokenMinter, rehearseSigning } from './tokens/mint.ts';
import { createRevocations } from './tokens/revocations.ts';
import { createUsers } from './users/find-or-create.ts';
import { createAccessTokens } from './wechat/access-token.ts';
import { createAppSecrets } from './wechat/app-secrets.ts';
import { createCode2Session } from './wechat/code2session.ts';
import { createWechatConnection } from './wechat/connection.ts';
import { createCheckContent } from './wechat/content-check.ts';

const environment = readEnvironment('login');
const now = Date.now;
const requestHandler = createUndiciHandler();
const dynamodb = createDocumentClient(requestHandler);
const secretsManager = createSecretsClient(requestHandler);
const table = { client: dynamodb, tableName: environment.TABLE_NAME, now };

const appSecrets = createAppSecrets({
  client: secretsManager,
  secretArn: environment.WECHAT_SECRETS_ARN,
  now,
});
const metrics = createMetrics(log);
const wechat = createWechatConnection({ apiBases: environment.WECHAT_API_BASE });
const accessTokens = createAccessTokens({
  connection: wechat,
  appSecrets,
  onFailure: () => metrics.record({ AccessTokenFailures: 1 }),
  now,
});
const signingKey = createSigningKeySource({
  client: secretsManager,
  keyRingArn: environment.KEY_RING_ARN,
  now,
});

const tokens = createTokenMinter({
  signingKey,
  issuer: environment.TOKEN_ISSUER,
  audience: environment.TOKEN_AUDIENCE,
  lifetimeSeconds: environment.TOKEN_LIFETIME_SECONDS,
  now,
});

const logIn = createLogIn({
  wechat: { code2Session: createCode2Session(wechat) },
  appSecrets,
  users: createUsers({
    ...table,
    ...(environment.CONTENT_CHECK === 'nicknames' && {
      admitsName: createNameAdmission(createCheckContent({ connection: wechat, accessTokens })),
    }),
  }),
  spentCodes: createSpentCodes({ ...table, windowSeconds: environment.CODE_REUSE_WINDOW_SECONDS }),
  revocations: createRevocations(table),
  tokens,
  now,
});

// INIT has a full CPU at no charge: what the first login needs is fetched now, side by side. The first login meets a
// failure again, and reports it.
await Promise.allSettled([
  appSecrets.secretFor(environment.WECHAT_APPIDS[0]),
  signingKey().then(rehearseSigning),
  wechat.openConnection(),
  // Two: a login writes its code down while it looks for the user.
  openConnection(dynamodb, environment.TABLE_NAME),
  openConnection(dynamodb, environment.TABLE_NAME),
]);

/** Serves the routes of `functions/contracts/routes.ts` that name the login function. */
export const handler = createHttpHandler(
  {
    'POST /member/login': createLoginRoute({
      logIn,
      appids: environment.WECHAT_APPIDS,
      observe: measureLogins(metrics),
    }),
    'POST /member/refresh': createRefreshRoute({ tokens, appids: environment.WECHAT_APPIDS, now }),
  },
  log,
  metrics,
);
