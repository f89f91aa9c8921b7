import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDecide } from '../../../functions/authorizer/decide.ts';
import { createAuthorizer } from '../../../functions/authorizer/handler.ts';
import { DomainError } from '../../../functions/errors/domain-error.ts';
import { createKeySource } from '../../../functions/keys/verification-keys.ts';
import type { Log } from '../../../functions/telemetry/logger.ts';
import type { TokenStatus } from '../../../functions/tokens/revocations.ts';
import { createTokenVerifier } from '../../../functions/tokens/verify.ts';
import {
  type ApiKind,
  apiKinds,
  connectEvent,
  httpV2Event,
  STAGE_ARN,
} from '../../fixtures/authorizer-events.ts';
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

const now = () => NOW;
const TTL = 300;

let key: TestKey;
let foreignKey: TestKey;
let lines: Record<string, unknown>[];
let keysAreAway: boolean;
let status: TokenStatus;

beforeAll(async () => {
  [key, foreignKey] = await Promise.all([createTestKey(), createTestKey()]);
});
beforeEach(() => {
  lines = [];
  keysAreAway = false;
  status = 'active';
});

const log: Log = {
  info: (_message, fields) => lines.push(fields),
  error: (_message, fields) => lines.push(fields),
};

function authorizerFor({ httpResponse }: Pick<ApiKind, 'httpResponse'>) {
  const keys = createKeySource({
    load: async () => {
      if (keysAreAway) throw new DomainError('unavailable', { reason: 'keys are away' });
      return key.jwks;
    },
    now,
  });
  const decide = createDecide({
    verifier: createTokenVerifier({ keys, issuer: ISSUER, audience: AUDIENCE, now }),
    revocations: { statusOf: async () => status },
  });
  return createAuthorizer({ decide, log, httpResponse, cacheTtlSeconds: TTL, now });
}

/** What an API does with the outcome: `allow`, `401`, `403` or `5xx`. */
async function outcomeOf(kind: ApiKind, event: Record<string, unknown>) {
  try {
    const answer = await authorizerFor(kind)(event);
    expectWithinLimits(kind, answer);
    return { outcome: isYes(answer) ? 'allow' : 'no', answer };
  } catch (error) {
    return { outcome: (error as Error).message === 'Unauthorized' ? 'unauthorized' : 'trouble', error };
  }
}

function isYes(answer: object): boolean {
  if ('isAuthorized' in answer) return answer.isAuthorized === true;
  const { policyDocument } = answer as { policyDocument: { Statement: { Effect: string }[] } };
  return policyDocument.Statement.every(({ Effect }) => Effect === 'Allow');
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html */
function expectWithinLimits(kind: ApiKind, answer: object): void {
  const json = JSON.stringify(answer);
  // What Lambda sends is what was meant: nothing undefined, nothing null.
  expect(JSON.parse(json)).toEqual(answer);
  expect(json).not.toContain('null');
  expect(json.length).toBeLessThan(8 * 1024);
  const { context, resolverContext } = answer as Record<string, Record<string, unknown>>;
  for (const value of Object.values({ ...context, ...resolverContext })) expect(value).toBeTypeOf('string');
  switch (kind.answer) {
    case 'iam': {
      expect(Object.keys(answer).sort()).toEqual(['context', 'policyDocument', 'principalId']);
      const { principalId, policyDocument } = answer as Record<string, Record<string, unknown>>;
      expect(principalId).toMatch(/^\S+$/);
      expect(policyDocument).toEqual({
        Version: '2012-10-17',
        Statement: [
          {
            Action: 'execute-api:Invoke',
            Effect: expect.stringMatching(/^(Allow|Deny)$/),
            Resource: `${STAGE_ARN}/*`,
          },
        ],
      });
      break;
    }
    case 'simple':
      expect(Object.keys(answer).sort()).toEqual(['context', 'isAuthorized']);
      expect((answer as { isAuthorized: unknown }).isAuthorized).toBeTypeOf('boolean');
      break;
    case 'appsync': {
      const { isAuthorized, ttlOverride } = answer as Record<string, unknown>;
      expect(isAuthorized).toBeTypeOf('boolean');
      expect(Number.isSafeInteger(ttlOverride)).toBe(true);
      expect(ttlOverride).toBeGreaterThanOrEqual(0);
      expect(ttlOverride).toBeLessThanOrEqual(TTL);
    }
  }
}

const context = {
  user_id: 'user-1',
  appid: 'wx0123456789abcdef',
  jti: 'b9a2dd0c-7f0e-4a58-8d35-0d1b7c1f2d30',
  auth_time: String(NOW_SECONDS - 60),
  expires_at: String(NOW_SECONDS + 3600),
};

/** Every class of token without which nobody gets in, with the reason that the log gives. */
const badTokens: readonly (readonly [what: string, token: () => string, reason: string])[] = [
  ['an expired token', () => signWith(key, { claims: { exp: NOW_SECONDS - 60 } }), 'expired'],
  ['a bad signature', () => flipped(signWith(key, {})), 'bad_signature'],
  ['a key of someone else', () => signWith(foreignKey, { header: { kid: key.kid } }), 'bad_signature'],
  ['an unknown key', () => signWith(foreignKey, {}), 'unknown_key'],
  ['another audience', () => signWith(key, { claims: { aud: 'others' } }), 'wrong_audience'],
  ['another issuer', () => signWith(key, { claims: { iss: 'https://evil.example' } }), 'wrong_issuer'],
  ['another type', () => signWith(key, { header: { typ: 'JWT' } }), 'wrong_type'],
  ['garbage', () => 'garbage', 'malformed'],
  ['a token twice', () => `${signWith(key, {})},${signWith(key, {})}`, 'malformed'],
];

const flipped = (token: string): string => {
  const at = token.lastIndexOf('.') + 5;
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
};

describe.each(apiKinds)('behind $name', (kind) => {
  const no = kind.throws ? 'unauthorized' : 'no';

  it('a valid token is allowed for the whole stage, with the same context as everywhere', async () => {
    for (const scheme of ['Bearer ', 'bearer ', 'JWT ', '']) {
      const { outcome, answer } = await outcomeOf(kind, kind.event(`${scheme}${signWith(key, {})}`));

      expect(outcome, scheme).toBe('allow');
      const { context: given, resolverContext }: { context?: unknown; resolverContext?: unknown } =
        answer ?? {};
      expect(given ?? resolverContext).toEqual(context);
    }
  });

  it.each(badTokens)('%s is refused', async (what, token, reason) => {
    const { outcome } = await outcomeOf(kind, kind.event(`Bearer ${token()}`));

    expect(outcome).toBe(no);
    const seenAsTwo = kind.name === 'WebSocket subprotocol' && what === 'a token twice';
    expect(lines.at(-1)).toMatchObject({
      decision: 'refuse',
      reason: seenAsTwo ? 'duplicate_header' : reason,
    });
  });

  it('a request without a token is refused', async () => {
    expect((await outcomeOf(kind, kind.without())).outcome).toBe(no);
    expect(lines.at(-1)).toMatchObject({ decision: 'refuse', reason: 'missing_token' });
  });

  it('a revoked token and a banned user are denied, not refused as if they had no token', async () => {
    for (const reason of ['token_revoked', 'user_banned'] as const) {
      status = reason;
      const { outcome, answer } = await outcomeOf(kind, kind.event(`Bearer ${signWith(key, {})}`));

      expect(outcome).toBe('no');
      if (kind.answer !== 'appsync') expect(answer).toMatchObject({ context: { error: reason } });
      expect(lines.at(-1)).toMatchObject({ decision: 'deny', reason });
    }
  });

  it('the stage of an API, and nothing in a request, says which mini-programs it lets in', async () => {
    const event = kind.event(`Bearer ${signWith(key, {})}`);
    const own = 'wx0123456789abcdef';
    const outcomeWith = async (more: Record<string, unknown>) =>
      (await outcomeOf(kind, { ...event, ...more })).outcome;

    const fromClient = { wechatLoginAllowedAppids: 'wxfedcba9876543210' };
    const { headers, queryStringParameters: query } = event as Record<string, Record<string, string>>;
    expect(
      await outcomeWith({
        ...(headers && { headers: { ...headers, ...fromClient } }),
        ...(query && { queryStringParameters: { ...query, ...fromClient } }),
      }),
    ).toBe('allow');

    if (!('stageVariables' in event)) return;
    const stage = (list: string) => ({ stageVariables: { other: 'x', wechatLoginAllowedAppids: list } });
    for (const list of [own, `wxfedcba9876543210,${own}`])
      expect(await outcomeWith(stage(list))).toBe('allow');
    for (const stageVariables of [undefined, null, { other: own }])
      expect(await outcomeWith({ stageVariables })).toBe('allow');
    for (const list of ['wxfedcba9876543210', '', `${own}0`, own.slice(0, -1), '*', `x${own}`]) {
      expect(await outcomeWith(stage(list)), list).toBe('no');
      expect(lines.at(-1)).toMatchObject({ decision: 'deny', reason: 'forbidden' });
      const asked = { headers: { ...headers, wechatLoginAllowedAppids: own }, ...stage(list) };
      expect(await outcomeWith(asked), list).toBe('no');
    }
  });

  it('without a decision it is a 5xx, neither allowed nor refused', async () => {
    keysAreAway = true;
    const { outcome, error } = await outcomeOf(kind, kind.event(`Bearer ${signWith(key, {})}`));

    expect(outcome).toBe('trouble');
    expect(error).toMatchObject({ message: 'No decision on the token' });
    expect(lines.at(-1)).toMatchObject({ decision: 'none', reason: 'keys are away' });
  });

  it('no part of a token is logged', async () => {
    const tokens = [signWith(key, {}), flipped(signWith(key, {}))];
    for (const token of tokens) await outcomeOf(kind, kind.event(`Bearer ${token}`));

    for (const part of tokens.flatMap((token) => token.split('.')))
      expect(JSON.stringify(lines)).not.toContain(part);
  });
});

describe('ARNs', () => {
  const resourceOf = async (event: object): Promise<unknown> => {
    const answer = await authorizerFor({ httpResponse: 'iam' })(event);
    return (answer as { policyDocument: { Statement: { Resource: string }[] } }).policyDocument.Statement[0]
      ?.Resource;
  };

  it.each([
    ['aws', 'eu-west-1', '$default', 'GET/orders'],
    ['aws', 'eu-west-1', '$default', '$default'],
    ['aws-cn', 'cn-north-1', 'prod', 'GET/a:b/c:d'],
    ['aws-us-gov', 'us-gov-west-1', 'prod', 'POST/arn:aws:execute-api:r:a:other/dev/GET'],
    ['aws', 'eu-west-1', 'prod', 'GET//'],
    ['aws', 'eu-west-1', 'prod', 'GET/*'],
  ])(
    'an ARN in %s %s %s %s grants its own stage and nothing more',
    async (partition, region, stage, rest) => {
      const stageArn = `arn:${partition}:execute-api:${region}:111122223333:abc123/${stage}`;
      const event = { ...httpV2Event({ authorization: signWith(key, {}) }), routeArn: `${stageArn}/${rest}` };

      expect(await resourceOf(event)).toBe(`${stageArn}/*`);
    },
  );

  it('$connect grants its stage', async () => {
    const event = connectEvent({ Authorization: signWith(key, {}) });

    expect(await resourceOf(event)).toBe(`${STAGE_ARN}/*`);
  });
});

describe('WebSocket tokens', () => {
  const [webSocket] = apiKinds.filter(({ name }) => name === 'WebSocket header');
  if (webSocket === undefined) throw new Error('no such kind');

  it('a WebSocket that sends a token in two places is refused, even when it is the same token', async () => {
    const token = signWith(key, {});
    const events = [
      connectEvent({ Authorization: token }, { token }),
      connectEvent({ Authorization: token, 'Sec-WebSocket-Protocol': `bearer, ${token}` }),
      connectEvent({ 'Sec-WebSocket-Protocol': `bearer, ${token}` }, { token }),
      connectEvent({ 'Sec-WebSocket-Protocol': `bearer, ${token}, bearer, ${token}` }),
      { ...connectEvent({}, { token }), multiValueQueryStringParameters: { token: [token, token] } },
    ];

    for (const event of events) {
      expect((await outcomeOf(webSocket, event)).outcome).toBe('unauthorized');
      expect(lines.at(-1)).toMatchObject({ reason: 'duplicate_header' });
    }
  });

  it('a WebSocket token is found among other subprotocols and without the maps of all values', async () => {
    const token = signWith(key, {});
    const {
      multiValueHeaders: _,
      multiValueQueryStringParameters: __,
      ...event
    } = connectEvent({
      'sec-websocket-protocol': `graphql-ws,BEARER,${token}`,
    });

    expect((await outcomeOf(webSocket, event)).outcome).toBe('allow');
  });
});

describe('the cache of an HTTP API', () => {
  it('an HTTP API that caches by something else than the token gets no decision that could reach another member', async () => {
    const [simple] = apiKinds.filter(({ name }) => name === 'HTTP 2.0 simple');
    if (simple === undefined) throw new Error('no such kind');
    const event = httpV2Event({ authorization: `Bearer ${signWith(key, {})}` });

    for (const identitySource of [['203.0.113.7'], ['']])
      expect((await outcomeOf(simple, { ...event, identitySource })).outcome).toBe('trouble');
    for (const identitySource of [null, undefined, [...(event.identitySource ?? []), 'GET /orders/{id}']])
      expect((await outcomeOf(simple, { ...event, identitySource })).outcome).toBe('allow');
  });

  it('an HTTP API with payload 1.0 joins its sources with commas, and the token may be any of them', async () => {
    const [kind] = apiKinds.filter(({ name }) => name === 'HTTP 1.0');
    if (kind === undefined) throw new Error('no such kind');
    const token = signWith(key, {});
    const credentials = `Bearer ${token}`;
    const event = kind.event(token);

    for (const identitySource of [`${credentials},203.0.113.7`, `203.0.113.7,${credentials}`])
      expect((await outcomeOf(kind, { ...event, identitySource })).outcome).toBe('allow');
    expect((await outcomeOf(kind, { ...event, identitySource: '203.0.113.7,GET /' })).outcome).toBe(
      'trouble',
    );
  });
});

describe('the cache of an AppSync API', () => {
  it('AppSync never keeps an `allow` longer than the token lives', async () => {
    const [appSync] = apiKinds.filter(({ name }) => name === 'AppSync');
    if (appSync === undefined) throw new Error('no such kind');
    const ttlOf = async (secondsLeft: number) => {
      const token = signWith(key, { claims: { ...validClaims(), exp: NOW_SECONDS + secondsLeft } });
      return (await outcomeOf(appSync, appSync.event(token))).answer;
    };

    expect(await ttlOf(3600)).toMatchObject({ ttlOverride: TTL });
    expect(await ttlOf(20)).toMatchObject({ ttlOverride: 20 });
    // Within the tolerance for clocks that differ.
    expect(await ttlOf(-2)).toMatchObject({ isAuthorized: true, ttlOverride: 0 });
  });
});

it('an event of no known kind of API gets no decision', async () => {
  for (const event of [{}, { type: 'REQUEST' }, { version: '3.0', type: 'REQUEST' }, { httpMethod: 'GET' }]) {
    await expect(authorizerFor({ httpResponse: 'simple' })(event)).rejects.toThrow(
      'No decision on the token',
    );
  }
});
