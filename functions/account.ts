/** The routes that change what is held of a member, and the schedule that erases closed accounts: wires them to AWS and WeChat. */
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { createDocumentClient, createSecretsClient, openConnection } from './aws/clients.ts';
import { createUndiciHandler } from './aws/undici-handler.ts';
import { readEnvironment } from './contracts/environment.ts';
import { createAct } from './events/act.ts';
import { createEventsRoute } from './events/events-route.ts';
import { createPushMarks } from './events/push-marks.ts';
import { createHttpHandler } from './http/handler.ts';
import { createErasureRoute } from './member/erasure-route.ts';
import { createPhoneRoutes } from './member/phone-route.ts';
import { createProfileRoute } from './member/profile-route.ts';
import { createScheduledErasure } from './member/scheduled-erasure.ts';
import { log } from './telemetry/logger.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { createRevocations } from './tokens/revocations.ts';
import { createAdministration } from './users/administer.ts';
import { createUserChanges } from './users/change.ts';
import { createUsers } from './users/find-or-create.ts';
import { createAccessTokens } from './wechat/access-token.ts';
import { createAppSecrets } from './wechat/app-secrets.ts';
import { createWechatConnection } from './wechat/connection.ts';
import { createCheckContent } from './wechat/content-check.ts';
import { createGetPhoneNumber } from './wechat/phone-number.ts';

const environment = readEnvironment('account');
const now = Date.now;
const requestHandler = createUndiciHandler();
const client = createDocumentClient(requestHandler);
const table = { client, tableName: environment.TABLE_NAME, now };
const metrics = createMetrics(log);
const changes = createUserChanges(table);
const users = createUsers(table);
const wechatSecrets = createAppSecrets({
  client: createSecretsClient(requestHandler),
  secretArn: environment.WECHAT_SECRETS_ARN,
  now,
});
const connection = createWechatConnection({ apiBases: environment.WECHAT_API_BASE });
const accessTokens = createAccessTokens({
  connection,
  appSecrets: wechatSecrets,
  onFailure: () => metrics.record({ AccessTokenFailures: 1 }),
  now,
});
const phone = createPhoneRoutes({
  users,
  changes,
  getPhoneNumber: createGetPhoneNumber({ connection, accessTokens }),
  windowSeconds: environment.CODE_REUSE_WINDOW_SECONDS,
  now,
});
const administration = createAdministration({ ...table, revocations: createRevocations(table) });

// The first request meets a failure again, and reports it.
await openConnection(client, environment.TABLE_NAME).catch(() => {});

const events = createEventsRoute({
  credentialsFor: async (appid) =>
    environment.WECHAT_APPIDS.includes(appid) ? wechatSecrets.pushSecretsFor(appid) : undefined,
  act: createAct({ administration, onErased: () => metrics.count('Erasures', 'wechat') }),
  marks: createPushMarks(table),
  count: (result) => metrics.count('PushMessages', result),
  now,
});

const serveRoutes = createHttpHandler(
  {
    'PUT /member/me': createProfileRoute({
      users,
      changes,
      checkContent:
        environment.CONTENT_CHECK === 'nicknames'
          ? createCheckContent({ connection, accessTokens })
          : undefined,
    }),
    'DELETE /member/me': createErasureRoute({
      administration,
      graceDays: environment.ERASURE_GRACE_DAYS,
      onErased: () => metrics.count('Erasures', 'member'),
      now,
    }),
    'POST /member/phone': phone.bind,
    'DELETE /member/phone': phone.unbind,
    'GET /wechat/events/{appid}': events,
    'POST /wechat/events/{appid}': events,
  },
  log,
  metrics,
);
const eraseDue = createScheduledErasure({
  administration,
  log,
  onErased: () => metrics.count('Erasures', 'schedule'),
});

/** Serves the routes of `functions/contracts/routes.ts` that name the account function; any other event is the schedule's. */
export const handler = async (
  event: APIGatewayProxyEvent | Readonly<Record<string, unknown>>,
): Promise<APIGatewayProxyResult | undefined> =>
  'requestContext' in event ? serveRoutes(event as APIGatewayProxyEvent) : eraseDue();
