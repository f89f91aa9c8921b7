import { createHmac, createSign, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { DomainError } from '../../../functions/errors/domain-error.ts';
import { createKeySource } from '../../../functions/keys/verification-keys.ts';
import { createTokenMinter } from '../../../functions/tokens/mint.ts';
import { createTokenVerifier, type TokenVerifier } from '../../../functions/tokens/verify.ts';
import {
  AUDIENCE,
  base64url,
  createTestKey,
  ISSUER,
  NOW,
  NOW_SECONDS,
  signRaw,
  signWith,
  type TestKey,
  validClaims,
  validHeader,
} from '../../fixtures/tokens.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const now = () => NOW;

let key: TestKey;
let otherKey: TestKey;
let verifier: TokenVerifier;

beforeAll(async () => {
  [key, otherKey] = await Promise.all([createTestKey(), createTestKey()]);
  const keys = createKeySource({ load: async () => key.jwks, now });
  verifier = createTokenVerifier({ keys, issuer: ISSUER, audience: AUDIENCE, now });
});

async function refusalOf(token: string): Promise<string | undefined> {
  const error: unknown = await verifier.verify(token).then(
    () => new Error('the token was accepted'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof DomainError) || error.code !== 'unauthorized') throw error;
  return error.reason;
}

const changedHeader = (header: Record<string, unknown>) => signWith(key, { header });
const changedClaims = (claims: Record<string, unknown>) => signWith(key, { claims });

describe('a token of ours', () => {
  it('a token says after verification what it was minted with', async () => {
    const minter = createTokenMinter({
      signingKey: async () => key,
      ...{ issuer: ISSUER, audience: AUDIENCE, lifetimeSeconds: 7 * 86_400, now },
    });

    const minted = await minter.mint({
      ...{ userId: 'user-1', appid: 'wx1', sid: 'login-1', authTime: NOW_SECONDS - 99 },
    });
    const verified = await verifier.verify(minted.token);

    expect(verified).toEqual({
      userId: 'user-1',
      appid: 'wx1',
      jti: minted.jti,
      sid: 'login-1',
      authTime: NOW_SECONDS - 99,
      issuedAt: NOW_SECONDS,
      expiresAt: NOW_SECONDS + 7 * 86_400,
    });
    expect(minted).toMatchObject({ expiresIn: 7 * 86_400, expiresAt: verified.expiresAt });
  });

  it('a token is never older than its login, by whichever clock that began', async () => {
    const minter = createTokenMinter({
      signingKey: async () => key,
      ...{ issuer: ISSUER, audience: AUDIENCE, lifetimeSeconds: 60, now },
    });

    const { token } = await minter.mint({ userId: 'user-1', appid: 'wx1', authTime: NOW_SECONDS + 1 });

    expect((await verifier.verify(token)).authTime).toBe(NOW_SECONDS);
  });

  it('auth_time is the moment of minting when no earlier login is named', async () => {
    const minter = createTokenMinter({
      signingKey: async () => key,
      ...{ issuer: ISSUER, audience: AUDIENCE, lifetimeSeconds: 60, now },
    });

    const { token } = await minter.mint({ userId: 'user-1', appid: 'wx1' });

    expect((await verifier.verify(token)).authTime).toBe(NOW_SECONDS);
  });

  it('a token carries these header members and claims and no others', async () => {
    const minter = createTokenMinter({
      signingKey: async () => key,
      ...{ issuer: ISSUER, audience: AUDIENCE, lifetimeSeconds: 60, now },
    });

    const { token } = await minter.mint({ userId: 'user-1', appid: 'wx1' });
    const [header, claims] = token
      .split('.')
      .slice(0, 2)
      .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));

    expect(header).toEqual({ alg: 'RS256', kid: key.kid, typ: 'at+jwt' });
    expect(Object.keys(claims).sort()).toEqual([
      ...['aud', 'auth_time', 'client_id', 'exp', 'iat', 'iss', 'jti', 'sid', 'sub'],
    ]);
    expect(token.length).toBeLessThan(900);
  });

  it('a token is accepted with every variation that the standard allows', async () => {
    const tokens = [
      changedHeader({ typ: 'application/at+jwt' }),
      changedClaims({ aud: ['others', AUDIENCE] }),
      changedClaims({ iat: NOW_SECONDS + 4, exp: NOW_SECONDS + 10 }),
      changedClaims({ exp: NOW_SECONDS - 4 }),
      changedClaims({ nbf: NOW_SECONDS + 4 }),
      changedClaims({ sub: '用户"\\\n' }),
    ];

    for (const token of tokens) await expect(verifier.verify(token)).resolves.toHaveProperty('appid');
  });
});

describe('a hostile token', () => {
  it('a hostile token is refused for a reason that an operator can count', async () => {
    const valid = signWith(key, {});
    const hmac = (secret: string | Buffer, alg = 'HS256') => {
      const input = `${base64url(JSON.stringify({ ...validHeader(key), alg }))}.${valid.split('.')[1]}`;
      return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
    };
    const header = JSON.stringify(validHeader(key));
    const claims = JSON.stringify(validClaims());
    const [h, c, s] = valid.split('.') as [string, string, string];
    const pss = () => {
      const input = `${base64url(JSON.stringify({ ...validHeader(key), alg: 'PS256' }))}.${c}`;
      const signature = createSign('RSA-SHA256')
        .update(input)
        .sign({ key: key.privateKey, padding: 6, saltLength: 32 });
      return `${input}.${base64url(signature)}`;
    };
    const spki = key.publicKey.export({ format: 'pem', type: 'spki' });
    const cases: [what: string, token: string, reason: string][] = [
      ['nothing', '', 'missing_token'],
      ['one part', 'token', 'malformed'],
      ['two parts', `${h}.${c}`, 'malformed'],
      ['four parts', `${valid}.${s}`, 'malformed'],
      ['five parts, as a JWE', `${h}.${c}.${s}.${s}.${s}`, 'malformed'],
      ['no signature', `${h}.${c}.`, 'malformed'],
      ['dots', '..', 'malformed'],
      ['JSON serialization', JSON.stringify({ protected: h, payload: c, signature: s }), 'malformed'],
      ['9 KB', changedClaims({ padding: 'x'.repeat(9_000) }), 'malformed'],
      ['deep JSON', signRaw(key, header, '['.repeat(1200) + ']'.repeat(1200)), 'bad_claims'],
      ['deep JSON in the header', signRaw(key, '['.repeat(1200) + ']'.repeat(1200), claims), 'bad_header'],
      ['space around', ` ${valid}`, 'malformed'],
      ['newline at the end', `${valid}\n`, 'malformed'],
      ['space inside', `${h}. ${c}.${s}`, 'malformed'],
      ['padding', `${valid}==`, 'malformed'],
      ['padding in the header', `${h}=.${c}.${s}`, 'malformed'],
      ['base64 alphabet', `${h}.${c}.${s.replaceAll('-', '+').replaceAll('_', '/')}+`, 'malformed'],
      ['NUL', `${valid}\0`, 'malformed'],
      ['header no JSON', signRaw(key, 'hello', claims), 'malformed'],
      ['header an array', signRaw(key, '[]', claims), 'bad_header'],
      ['header null', signRaw(key, 'null', claims), 'bad_header'],
      ['header not UTF-8', signRaw(key, Buffer.from([0x22, 0xff, 0x22]), claims), 'bad_header'],
      ['claims no JSON', signRaw(key, header, 'hello'), 'malformed'],
      ['claims a string', signRaw(key, header, '"hello"'), 'bad_claims'],
      ['claims an array', signRaw(key, header, '[]'), 'bad_claims'],
      [
        'claims not UTF-8',
        signRaw(
          key,
          header,
          Buffer.concat([Buffer.from('{"sub":"'), Buffer.from([0xff]), Buffer.from('"}')]),
        ),
        'malformed',
      ],
      ['claims with a BOM', signRaw(key, header, `\uFEFF${claims}`), 'malformed'],
      ['claims with whitespace', signRaw(key, header, JSON.stringify(validClaims(), null, 1)), 'malformed'],
      ['a claim twice', signRaw(key, header, claims.replace('{', '{"sub":"user-2",')), 'malformed'],
      [
        'a claim twice, escaped',
        signRaw(key, header, claims.replace('{', '{"\\u0073ub":"user-2",')),
        'malformed',
      ],
      ['a header member twice', signRaw(key, header.replace('{', '{"alg":"none",'), claims), 'malformed'],
      [
        'a nested member twice',
        signRaw(key, header, claims.replace('{', '{"x":{"a":1,"a":2},')),
        'malformed',
      ],
      ['HS256 with the public key', hmac(spki), 'wrong_algorithm'],
      [
        'HS256 with the public key as DER',
        hmac(key.publicKey.export({ format: 'der', type: 'spki' })),
        'wrong_algorithm',
      ],
      ['HS256 with the modulus', hmac(key.publicJwk.n), 'wrong_algorithm'],
      ['RS256 on the label, HMAC inside', hmac(spki, 'RS256'), 'bad_signature'],
      ['PS256', pss(), 'wrong_algorithm'],
      ['RS256 on the label, RS512 inside', signRaw(key, header, claims, 'RSA-SHA512'), 'bad_signature'],
      ['no alg', changedHeader({ alg: undefined }), 'malformed'],
      ['alg a number', changedHeader({ alg: 256 }), 'malformed'],
      ['alg a list', changedHeader({ alg: ['RS256'] }), 'malformed'],
      ['no kid', changedHeader({ kid: undefined }), 'bad_header'],
      ['kid a number', changedHeader({ kid: 1 }), 'bad_header'],
      ['kid a list', changedHeader({ kid: [key.kid] }), 'bad_header'],
      ['kid empty', changedHeader({ kid: '' }), 'unknown_key'],
      ['kid unknown', changedHeader({ kid: otherKey.kid }), 'unknown_key'],
      ['kid a path', changedHeader({ kid: '../../etc/passwd' }), 'unknown_key'],
      ['kid a member of every object', changedHeader({ kid: '__proto__' }), 'unknown_key'],
      ['kid a method of every object', changedHeader({ kid: 'constructor' }), 'unknown_key'],
      ["another key's signature", signWith(otherKey, { header: { kid: key.kid } }), 'bad_signature'],
      ["another key's token", signWith(otherKey, {}), 'unknown_key'],
      [
        'its own key',
        signWith(otherKey, { header: { kid: key.kid, jwk: otherKey.publicJwk } }),
        'bad_header',
      ],
      ['a key to fetch', changedHeader({ jku: 'http://127.0.0.1/jwks.json' }), 'bad_header'],
      ['a certificate to fetch', changedHeader({ x5u: 'http://127.0.0.1/cert' }), 'bad_header'],
      ['a certificate', changedHeader({ x5c: ['MIIB'] }), 'bad_header'],
      ['unknown crit', changedHeader({ crit: ['exp'], exp: 1 }), 'bad_header'],
      ['crit b64', changedHeader({ crit: ['b64'], b64: false }), 'bad_header'],
      ['crit empty', changedHeader({ crit: [] }), 'bad_header'],
      ['typ JWT', changedHeader({ typ: 'JWT' }), 'wrong_type'],
      ['typ of an ID token', changedHeader({ typ: 'id+jwt' }), 'wrong_type'],
      ['no typ', changedHeader({ typ: undefined }), 'wrong_type'],
      ['typ a list', changedHeader({ typ: ['at+jwt'] }), 'wrong_type'],
      ['another issuer', changedClaims({ iss: `${ISSUER}.evil.example` }), 'wrong_issuer'],
      ['issuer with a slash', changedClaims({ iss: `${ISSUER}/` }), 'wrong_issuer'],
      ['issuer a list', changedClaims({ iss: [ISSUER] }), 'wrong_issuer'],
      ['no issuer', changedClaims({ iss: undefined }), 'bad_claims'],
      ['another audience', changedClaims({ aud: 'others' }), 'wrong_audience'],
      ['audience a part', changedClaims({ aud: 'member' }), 'wrong_audience'],
      ['no audience in the list', changedClaims({ aud: [] }), 'wrong_audience'],
      ['audience an object', changedClaims({ aud: { [AUDIENCE]: true } }), 'wrong_audience'],
      ['no audience', changedClaims({ aud: undefined }), 'bad_claims'],
      ['expired', changedClaims({ exp: NOW_SECONDS - 6 }), 'expired'],
      ['exp as string', changedClaims({ exp: String(NOW_SECONDS + 60) }), 'bad_claims'],
      ['exp huge', changedClaims({ exp: 1e300 }), 'bad_claims'],
      [
        'exp beyond what a number holds',
        signRaw(key, header, claims.replace(/"exp":\d+/, '"exp":1e999')),
        'malformed',
      ],
      ['exp in milliseconds', changedClaims({ exp: NOW + 3_600_000 }), 'bad_claims'],
      ['exp a fraction', changedClaims({ exp: NOW_SECONDS + 0.5 }), 'bad_claims'],
      ['exp negative', changedClaims({ exp: -1 }), 'expired'],
      ['exp null', changedClaims({ exp: null }), 'bad_claims'],
      ['no exp', changedClaims({ exp: undefined }), 'bad_claims'],
      ['lifetime over the maximum', changedClaims({ exp: NOW_SECONDS - 60 + 7 * 86_400 + 1 }), 'bad_claims'],
      ['issued longer ago than any token lives', changedClaims({ iat: NOW_SECONDS - 8 * 86_400 }), 'expired'],
      ['iat in the future', changedClaims({ iat: NOW_SECONDS + 6 }), 'not_yet_valid'],
      ['iat as string', changedClaims({ iat: String(NOW_SECONDS) }), 'bad_claims'],
      ['no iat', changedClaims({ iat: undefined }), 'bad_claims'],
      ['nbf in the future', changedClaims({ nbf: NOW_SECONDS + 6 }), 'not_yet_valid'],
      ['nbf as string', changedClaims({ nbf: 'now' }), 'bad_claims'],
      ['no sub', changedClaims({ sub: undefined }), 'bad_claims'],
      ['sub a number', changedClaims({ sub: 5 }), 'bad_claims'],
      ['sub empty', changedClaims({ sub: '' }), 'bad_claims'],
      ['sub an object', changedClaims({ sub: { toString: 'user-1' } }), 'bad_claims'],
      ['no client_id', changedClaims({ client_id: undefined }), 'bad_claims'],
      ['client_id a list', changedClaims({ client_id: ['wx1'] }), 'bad_claims'],
      ['no jti', changedClaims({ jti: undefined }), 'bad_claims'],
      ['jti a number', changedClaims({ jti: 1 }), 'bad_claims'],
      ['no auth_time', changedClaims({ auth_time: undefined }), 'bad_claims'],
      ['auth_time as string', changedClaims({ auth_time: '1' }), 'bad_claims'],
      ['auth_time later than iat', changedClaims({ auth_time: NOW_SECONDS - 59 }), 'bad_claims'],
      ['sid a number', changedClaims({ sid: 1 }), 'bad_claims'],
      ['sid empty', changedClaims({ sid: '' }), 'bad_claims'],
    ];

    for (const [what, token, reason] of cases)
      expect(await refusalOf(token).catch((error: unknown) => error), what).toBe(reason);
  });

  it('a token that claims to need no signature is refused, however that is spelled', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', ' none', 'none ', '', 'null'])
      for (const signature of ['', 'AA', signWith(key, {}).split('.')[2]]) {
        const [, claims] = signWith(key, {}).split('.');
        const token = `${base64url(JSON.stringify({ ...validHeader(key), alg }))}.${claims}.${signature}`;
        expect(['malformed', 'wrong_algorithm'], alg).toContain(await refusalOf(token));
      }
  });

  it('a token of any other algorithm is refused', async () => {
    for (const alg of [
      'RS384',
      'RS512',
      'PS256',
      'PS384',
      'PS512',
      'ES256',
      'EdDSA',
      'HS512',
      'rs256',
      'RS256 ',
    ])
      expect(await refusalOf(changedHeader({ alg })), alg).toBe('wrong_algorithm');
  });

  it('a token is refused when any single character of it was changed, to any other', async () => {
    const valid = signWith(key, {});

    for (let at = 0; at < valid.length; at++) {
      const flipped = ALPHABET[(ALPHABET.indexOf(valid[at] ?? '') + 1) % 64] ?? '';
      for (const character of [flipped, '.', '=', ' ', '+', '/', 'é'])
        if (character !== valid[at])
          await refusalOf(valid.slice(0, at) + character + valid.slice(at + 1)).catch(() => {
            throw new Error(`accepted, or failed otherwise, with ${character} at ${at}`);
          });
      await refusalOf(valid.slice(0, at) + valid.slice(at + 1));
    }
  });

  it('a token is accepted in only one spelling of its last character', async () => {
    const valid = signWith(key, {});

    const accepted = [];
    for (const last of ALPHABET) {
      const token = valid.slice(0, -1) + last;
      if (await verifier.verify(token).catch(() => undefined)) accepted.push(token);
    }

    expect(accepted).toEqual([valid]);
  });

  it('noise is refused', async () => {
    for (let round = 0; round < 300; round++) {
      const parts = [randomBytes(round), randomBytes(200), randomBytes(256)];
      await refusalOf(parts.map(base64url).join('.'));
      await refusalOf(randomBytes(round + 1).toString('latin1'));
      await refusalOf(randomBytes(round + 1).toString('utf8'));
    }
  });

  it('a refused token leaves nothing of itself in the error', async () => {
    const secret = 'user-4711';
    const tokens = [
      changedClaims({ sub: secret, exp: NOW_SECONDS - 99 }),
      changedClaims({ sub: secret, aud: 'others' }),
      changedClaims({ sub: [secret] }),
      `${signRaw(key, JSON.stringify(validHeader(key)), `{"sub":"${secret}",}`)}`,
    ];

    for (const token of tokens) {
      const error: unknown = await verifier.verify(token).catch((reason: unknown) => reason);
      const text = inspect(error, { depth: 9, showHidden: true });
      for (const part of [secret, ...token.split('.')]) expect(text).not.toContain(part);
    }
  });
});

describe('trouble that is not the token’s', () => {
  it('the verifier is unavailable when the keys cannot be read, and refuses nothing', async () => {
    const load = async () => {
      throw new DomainError('unavailable', { reason: 'the table is away' });
    };
    const cut = createTokenVerifier({
      keys: createKeySource({ load, now }),
      ...{ issuer: ISSUER, audience: AUDIENCE, now },
    });

    await expect(cut.verify(signWith(key, {}))).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('a bug of ours stays a bug, and refuses nothing', async () => {
    const keys = { find: () => Promise.reject(new TypeError('a bug')), warm: async () => {} };
    const broken = createTokenVerifier({ keys, issuer: ISSUER, audience: AUDIENCE, now });

    await expect(broken.verify(signWith(key, {}))).rejects.toBeInstanceOf(TypeError);
  });
});
