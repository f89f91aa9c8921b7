import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { IamResponse } from '../../../functions/authorizer/apis/iam-response.ts';
import { createDecide } from '../../../functions/authorizer/decide.ts';
import { type AuthorizerOptions, createAuthorizer } from '../../../functions/authorizer/handler.ts';
import { DomainError } from '../../../functions/errors/domain-error.ts';
import { createKeySource } from '../../../functions/keys/verification-keys.ts';
import type { Log } from '../../../functions/telemetry/logger.ts';
import { createTokenVerifier, type TokenVerifier } from '../../../functions/tokens/verify.ts';
import {
  AUDIENCE,
  createTestKey,
  ISSUER,
  NOW,
  NOW_SECONDS,
  signWith,
  type TestKey,
  validClaims,
} from '../../fixtures/tokens.ts';

const stage = 'arn:aws-cn:execute-api:cn-north-1:111122223333:abc123/prod';
const now = () => NOW;

let key: TestKey;
let verifier: TokenVerifier;
let lines: [level: string, message: string, fields: Record<string, unknown>][];

beforeAll(async () => {
  key = await createTestKey();
  const keys = createKeySource({ load: async () => key.jwks, now });
  verifier = createTokenVerifier({ keys, issuer: ISSUER, audience: AUDIENCE, now });
});
beforeEach(() => {
  lines = [];
});

const log: Log = {
  info: (message, fields) => lines.push(['info', message, fields]),
  error: (message, fields) => lines.push(['error', message, fields]),
};

/** The authorizer as a REST API knows it. */
const createRestAuthorizer = (options: Pick<AuthorizerOptions, 'decide' | 'log'>) =>
  createAuthorizer({ ...options, httpResponse: 'simple', cacheTtlSeconds: 0, now }) as (
    event: object,
  ) => Promise<IamResponse>;

const requestWith = (authorization: string, path = 'GET/member/me') => ({
  type: 'REQUEST',
  httpMethod: 'GET',
  methodArn: `${stage}/${path}`,
  headers: { Authorization: authorization },
  multiValueHeaders: { Authorization: [authorization] },
  requestContext: { requestId: 'request-1' },
});

describe('the REST authorizer', () => {
  it('allows the whole stage to a valid token and hands its content on as flat strings', async () => {
    const authorize = createRestAuthorizer({ decide: createDecide({ verifier }), log });

    const answer = await authorize(requestWith(`Bearer ${signWith(key, {})}`));

    expect(answer).toEqual({
      principalId: 'user-1',
      policyDocument: {
        Version: '2012-10-17',
        Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: `${stage}/*` }],
      },
      context: {
        user_id: 'user-1',
        appid: validClaims().client_id,
        jti: validClaims().jti,
        auth_time: String(NOW_SECONDS - 60),
        expires_at: String(NOW_SECONDS + 3600),
      },
    });
  });

  it('denies the stage to a revoked token, and gives the reason in words the gateway can show', async () => {
    for (const error of ['token_revoked', 'user_banned'] as const) {
      const decide = createDecide({ verifier, revocations: { statusOf: async () => error } });
      const authorize = createRestAuthorizer({ decide, log });

      const answer = await authorize(requestWith(`Bearer ${signWith(key, {})}`));

      expect(answer).toEqual({
        principalId: 'user-1',
        policyDocument: {
          Version: '2012-10-17',
          Statement: [{ Action: 'execute-api:Invoke', Effect: 'Deny', Resource: `${stage}/*` }],
        },
        context: { error },
      });
      // The gateway puts the text into JSON as it is.
      expect(JSON.stringify(answer.context)).not.toContain('\\');
      expect(lines.at(-1)).toEqual([
        'info',
        'authorized',
        { api: 'rest request', request_id: 'request-1', decision: 'deny', user_id: 'user-1', reason: error },
      ]);
    }
  });

  it('grants the same stage whatever the path looks like', async () => {
    const authorize = createRestAuthorizer({ decide: createDecide({ verifier }), log });

    for (const path of [
      'GET/',
      'GET/a/b/c',
      'GET/a:b/c:d',
      'POST/x/arn:aws:execute-api:r:a:other/dev/GET',
      'GET/*',
      'GET/%2F',
    ])
      expect(
        (await authorize(requestWith(signWith(key, {}), path))).policyDocument.Statement,
        path,
      ).toMatchObject([{ Resource: `${stage}/*` }]);
  });

  it('throws the one error that API Gateway turns into 401 when there is no valid token', async () => {
    const authorize = createRestAuthorizer({ decide: createDecide({ verifier }), log });
    const token = signWith(key, {});
    const requests = [
      { ...requestWith(''), headers: null, multiValueHeaders: null },
      requestWith('nonsense'),
      requestWith(`Bearer ${token}x`),
      requestWith(`Bearer ${signWith(key, { claims: { exp: NOW_SECONDS - 60 } })}`),
      { ...requestWith(token), multiValueHeaders: { Authorization: [token, token] } },
    ];

    for (const request of requests) await expect(authorize(request)).rejects.toThrow(/^Unauthorized$/);

    expect(lines.map(([, , { reason }]) => reason)).toEqual([
      ...['missing_token', 'malformed', 'malformed', 'expired', 'duplicate_header'],
    ]);
  });

  it('throws another error, without details, when there is no decision', async () => {
    const failures = [
      new DomainError('unavailable', { reason: 'keys are away', cause: new Error('details') }),
      new TypeError('a bug'),
      'thrown text',
    ];

    for (const failure of failures) {
      const broken = { verify: () => Promise.reject(failure) };
      const error: unknown = await createRestAuthorizer({ decide: createDecide({ verifier: broken }), log })(
        requestWith('token'),
      ).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ message: 'No decision on the token' });
      expect(error).not.toHaveProperty('cause');
    }

    expect(lines.map(([level]) => level)).toEqual(['error', 'error', 'error']);
    expect(lines[0]?.[2].reason).toBe('keys are away');
    expect(lines[1]?.[2]).toMatchObject({ cause: 'TypeError', stack: expect.stringContaining('    at ') });
    expect(JSON.stringify(lines)).not.toContain('a bug');
  });

  it('fails rather than grants when the method ARN is not one', async () => {
    const authorize = createRestAuthorizer({ decide: createDecide({ verifier }), log });

    for (const methodArn of ['', '*', 'arn:aws:lambda:r:a:x/y/z', 'arn:aws:execute-api:r:a:api'])
      await expect(authorize({ ...requestWith(signWith(key, {})), methodArn })).rejects.toThrow(
        'No decision',
      );
  });

  it('writes one line per decision, with no token in it', async () => {
    const authorize = createRestAuthorizer({ decide: createDecide({ verifier }), log });
    const tokens = [signWith(key, {}), signWith(key, { claims: { exp: 1 } }), `${signWith(key, {})}x`];

    for (const token of tokens) await authorize(requestWith(token)).catch(() => {});

    expect(lines).toHaveLength(3);
    expect(lines[0]?.[2]).toMatchObject({
      request_id: 'request-1',
      decision: 'allow',
      user_id: 'user-1',
    });
    const text = JSON.stringify(lines);
    for (const part of tokens.flatMap((token) => token.split('.'))) expect(text).not.toContain(part);
  });
});
