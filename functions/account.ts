/** The routes that change what is held of a member: wires them to the users table. */
import { createDocumentClient, openConnection } from './aws/clients.ts';
import { readEnvironment } from './contracts/environment.ts';
import { createHttpHandler } from './http/handler.ts';
import { createProfileRoute } from './member/profile-route.ts';
import { log } from './telemetry/logger.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { createUserChanges } from './users/change.ts';

const environment = readEnvironment('account');
const client = createDocumentClient();
const table = { client, tableName: environment.TABLE_NAME, now: Date.now };
const changes = createUserChanges(table);

// The first request meets a failure again, and reports it.
await openConnection(client, environment.TABLE_NAME).catch(() => {});

/** Answers the routes of `functions/contracts/routes.ts` that name the account function. */
export const handler = createHttpHandler(
  { 'PUT /member/me': createProfileRoute(changes) },
  log,
  createMetrics(log),
);
