/** The member routes: wires them to the users table. */
import { createDocumentClient, openConnection } from './aws/clients.ts';
import { readEnvironment } from './environment.ts';
import { createHttpHandler } from './http/handler.ts';
import { log } from './log/logger.ts';
import { createMemberRoutes } from './member/member-routes.ts';
import { loadJwksFromTable } from './tokens/jwks-item.ts';
import { createUsers } from './users/find-or-create.ts';

const environment = readEnvironment('member');
const client = createDocumentClient();
const table = { client, tableName: environment.TABLE_NAME };
