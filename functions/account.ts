/** The routes that change what is held of a member, and the schedule that erases closed accounts: wires them to AWS. */
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { createDocumentClient, openConnection } from './aws/clients.ts';
import { readEnvironment } from './contracts/environment.ts';
import { createHttpHandler } from './http/handler.ts';
import { createErasureRoute } from './member/erasure-route.ts';
import { createProfileRoute } from './member/profile-route.ts';
import { createScheduledErasure } from './member/scheduled-erasure.ts';
import { log } from './telemetry/logger.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { createRevocations } from './tokens/revocations.ts';
import { createAdministration } from './users/administer.ts';
import { createUserChanges } from './users/change.ts';

const environment = readEnvironment('account');
const now = Date.now;
const client = createDocumentClient();
const table = { client, tableName: environment.TABLE_NAME, now };
const metrics = createMetrics(log);
const changes = createUserChanges(table);
const administration = createAdministration({ ...table, revocations: createRevocations(table) });

// The first request meets a failure again, and reports it.
await openConnection(client, environment.TABLE_NAME).catch(() => {});

const serveRoutes = createHttpHandler(
  {
    'PUT /member/me': createProfileRoute(changes),
    'DELETE /member/me': createErasureRoute({
      administration,
      graceDays: environment.ERASURE_GRACE_DAYS,
      onErased: () => metrics.count('Erasures', 'member'),
      now,
    }),
  },
  log,
  metrics,
);
const eraseDue = createScheduledErasure({
  administration,
  log,
  onErased: () => metrics.count('Erasures', 'schedule'),
});

/** Answers the routes of `functions/contracts/routes.ts` that name the account function; any other event is the schedule's. */
export const handler = async (
  event: APIGatewayProxyEvent | Readonly<Record<string, unknown>>,
): Promise<APIGatewayProxyResult | undefined> =>
  'requestContext' in event ? serveRoutes(event as APIGatewayProxyEvent) : eraseDue();
