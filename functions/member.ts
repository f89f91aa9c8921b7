/** The member routes: wires them to the users table. */
import { createDocumentClient, openConnection } from './aws/clients.ts';
import { readEnvironment } from './contracts/environment.ts';
import { createHttpHandler } from './http/handler.ts';
import { loadSigningKeyCreatedAt } from './keys/published-in-table.ts';
import { createMemberRoutes } from './member/member-routes.ts';
import { log } from './telemetry/logger.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { createRevocations } from './tokens/revocations.ts';
import { createUsers } from './users/find-or-create.ts';

const environment = readEnvironment('member');
const client = createDocumentClient();
const table = { client, tableName: environment.TABLE_NAME, now: Date.now };

const routes = createMemberRoutes({
  users: createUsers(table),
  revocations: createRevocations(table),
  signingKeyCreatedAt: () => loadSigningKeyCreatedAt(table),
  version: environment.SERVICE_VERSION,
  now: Date.now,
});

// The first request meets a failure again, and reports it.
await openConnection(client, environment.TABLE_NAME).catch(() => {});

/** Serves the routes of `functions/contracts/routes.ts` that name the member function. */
export const handler = createHttpHandler(routes, log, createMetrics(log));
