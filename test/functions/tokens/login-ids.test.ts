import type { APIGatewayProxyEvent } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDecide } from '../../../functions/authorizer/decide.ts';
import { contextOf } from '../../../functions/caller/context.ts';
import { createKeySource } from '../../../functions/keys/verification-keys.ts';
import { createRefreshRoute } from '../../../functions/login/refresh-route.ts';
import { createLogoutRoute } from '../../../functions/member/logout-route.ts';
import { createTokenMinter } from '../../../functions/tokens/mint.ts';
import { createRevocations } from '../../../functions/tokens/revocations.ts';
import { createTokenVerifier } from '../../../functions/tokens/verify.ts';
import { AUDIENCE, createTestKey, ISSUER, NOW, signWith, type TestKey } from '../../fixtures/tokens.ts';
import { startUsersTable, type UsersTable } from '../../fixtures/users-table.ts';

const now = () => NOW;
const appid = 'wx0123456789abcdef';

let table: UsersTable;
let key: TestKey;
beforeAll(async () => {
  [table, key] = await Promise.all([startUsersTable(), createTestKey()]);
});
afterAll(() => table.stop());

/** Authorizer, refresh and logout around one table. */
function setUp() {
  const revocations = createRevocations({ client: table.client, tableName: table.tableName, now });
  const keys = createKeySource({ load: async () => key.jwks, now });
  const verifier = createTokenVerifier({ keys, issuer: ISSUER, audience: AUDIENCE, now });
  const decide = createDecide({ verifier, revocations });
  const refresh = createRefreshRoute({
    tokens: createTokenMinter({
      ...{ signingKey: async () => key, issuer: ISSUER, audience: AUDIENCE, lifetimeSeconds: 604_800, now },
    }),
    appids: [appid],
    now,
  });
  const logOut = createLogoutRoute(revocations);

  /** The event of a route behind the authorizer. */
  const passed = async (token: string): Promise<APIGatewayProxyEvent> => {
    const authorizer = contextOf(await verifier.verify(token));
    return { requestContext: { authorizer }, headers: {}, body: null } as unknown as APIGatewayProxyEvent;
  };
  return {
    kindOf: async (token: string) => (await decide(() => token)).kind,
    passed,
    refresh: async (event: APIGatewayProxyEvent) => ((await refresh(event, {})) as { token: string }).token,
    logOut: (event: APIGatewayProxyEvent) => logOut(event, {}),
  };
}

describe.each([
  ['with an id of the login', { sid: 'login-1' }],
  ['of before there were such ids', {}],
])('a token %s', (_, ids) => {
  it(`a logout ends a token ${_}, those refreshed from it, and one whose refresh is under way`, async () => {
    await table.put({ pk: 'user-1', status: 'active' });
    const jti = `token ${_}`;
    const { kindOf, passed, refresh, logOut } = setUp();
    const token = signWith(key, { claims: { ...ids, jti } });
    const bystander = signWith(key, {
      claims: { jti: `other ${_}`, ...('sid' in ids && { sid: 'login-2' }) },
    });
    const underWay = await passed(token);
    const refreshed = await refresh(await passed(token));
    const twice = await refresh(await passed(refreshed));
    for (const each of [token, refreshed, twice]) expect(await kindOf(each)).toBe('allow');

    await logOut(await passed(twice));

    for (const each of [token, refreshed, twice, await refresh(underWay)])
      expect(await kindOf(each)).toBe('deny');
    expect(await kindOf(bystander)).toBe('allow');
  });
});
