import { describe, expect, it } from 'vitest';
import { contextOf } from '../../../functions/caller/context.ts';
import { memberOf } from '../../../functions/caller/member-of.ts';

const member = {
  userId: 'user-1',
  appid: 'wx0123456789abcdef',
  jti: 'token-1',
  sid: 'login-1',
  authTime: 1_795_176_000,
  expiresAt: 1_795_780_800,
};
const context = contextOf({ ...member, issuedAt: member.authTime });
const claims = {
  iss: 'https://login.example.com',
  aud: 'wechat-login',
  sub: member.userId,
  client_id: member.appid,
  jti: member.jti,
  sid: member.sid,
  auth_time: String(member.authTime),
  iat: String(member.authTime),
  exp: String(member.expiresAt),
};
const behind = (authorizer: object) => ({ requestContext: { requestId: 'request-1', authorizer } });

describe('memberOf', () => {
  it.each([
    ['a REST API', behind({ ...context, principalId: 'user-1', integrationLatency: 12 })],
    ['an HTTP API with payload 2.0', behind({ lambda: context })],
    ['an HTTP API with payload 1.0', behind({ ...context, principalId: 'user-1' })],
    ['a WebSocket API', behind({ ...context, principalId: 'user-1' })],
    ['the JWT authorizer of an HTTP API', behind({ jwt: { claims, scopes: null } })],
    ['the JWT authorizer of an HTTP API with payload 1.0', behind({ claims, scopes: null })],
    ['AppSync', { identity: { resolverContext: context } }],
    [
      'an API that writes numbers its own way',
      behind({ jwt: { claims: { ...claims, auth_time: '1.795176E9', exp: member.expiresAt } } }),
    ],
  ])('reads the same member behind %s', (_, event) => {
    expect(memberOf(event)).toEqual(member);
  });

  it('reads a member whose token is of before there were ids of logins', () => {
    const { sid: _, ...before } = member;

    expect(memberOf(behind(contextOf({ ...before, issuedAt: 1 })))).toEqual(before);
    expect(memberOf(behind({ jwt: { claims: { ...claims, sid: undefined } } }))).toEqual(before);
  });

  it('says that a route is not protected', () => {
    for (const event of [
      {},
      { requestContext: {} },
      { requestContext: { authorizer: null } },
      { identity: null },
    ])
      expect(() => memberOf(event)).toThrow(
        new TypeError('The event names no authorizer: the route is not protected by one'),
      );
  });

  it('does not take a user of Cognito, whose claims have the same names, for a member', () => {
    const claims = { sub: 'u', client_id: 'c', jti: 'j', auth_time: '1', exp: '2', token_use: 'access' };

    expect(() => memberOf({ requestContext: { authorizer: { jwt: { claims } } } })).toThrow(TypeError);
  });

  it('names what is missing, and never a value, when another authorizer wrote the context', () => {
    const { user_id: _, ...noUser } = context;
    for (const authorizer of [
      {},
      { lambda: null, principalId: 'user-1' },
      { lambda: { user_id: 7 } },
      noUser,
      { ...context, user_id: '' },
      { ...context, expires_at: '' },
      { ...context, expires_at: 'secret' },
      { ...context, auth_time: '-1' },
      { ...context, auth_time: '1.5' },
      { jwt: { claims: { ...claims, sub: undefined } } },
      { jwt: { claims: { ...claims, exp: 'secret' } } },
    ]) {
      const read = () => memberOf(behind(authorizer));
      expect(read).toThrow(TypeError);
      expect(read).not.toThrow('secret');
    }
  });
});
