import { createHmac, generateKeyPairSync } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { expectCleanLogs, get, logIn } from '../service.ts';

afterAll(expectCleanLogs);

const unauthorized = {
  code: 401,
  error: 'unauthorized',
  msg: '未登录或登录已失效 / Not logged in, or the login has ended',
};

describe('a hostile token', () => {
  it('is 401 in our envelope, never anything else', async () => {
    const { token } = await logIn();
    const [header = '', claims = '', signature = ''] = token.split('.');
    const content = decodeJwt(token);
    const { kid = '' } = decodeProtectedHeader(token);
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const withHeader = (value: object) => `${encode(value)}.${claims}.${signature}`;
    const withClaims = (changes: object) => `${header}.${encode({ ...content, ...changes })}.${signature}`;
    const hmac = (secret: string) => {
      const input = `${encode({ alg: 'HS256', kid, typ: 'at+jwt' })}.${claims}`;
      return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
    };
    const ours = { alg: 'RS256', kid, typ: 'at+jwt' };
    const foreign = (changes: object = {}) =>
      new SignJWT(content).setProtectedHeader({ ...ours, ...changes }).sign(privateKey);
    const flipped = [0, 5, header.length, header.length + 9, token.length - 1].map((at) => {
      const replacement = token[at] === 'A' ? 'Q' : 'A';
      return `${token.slice(0, at)}${replacement}${token.slice(at + 1)}`;
    });

    for (const hostile of [
      ...['none', 'None', 'NONE', 'nOnE'].flatMap((alg) => [
        `${encode({ alg, kid, typ: 'at+jwt' })}.${claims}.`,
        withHeader({ alg, kid, typ: 'at+jwt' }),
      ]),
      ...['', 'secret', kid].map(hmac),
      ...['RS384', 'RS512', 'PS256', 'ES256'].map((alg) => withHeader({ ...ours, alg })),
      ...flipped,
      await foreign(),
      await foreign({ kid: 'unknown' }),
      withHeader({ alg: 'RS256', typ: 'at+jwt' }),
      withHeader({ ...ours, kid: '../../etc/passwd' }),
      withHeader({ ...ours, kid: '__proto__' }),
      withHeader({ ...ours, jku: 'http://127.0.0.1:1/jwks.json' }),
      withHeader({ ...ours, x5u: 'http://127.0.0.1:1/cert' }),
      withHeader({ ...ours, crit: ['exp'] }),
      withHeader({ ...ours, typ: 'JWT' }),
      withClaims({ sub: 'another' }),
      withClaims({ exp: String(content.exp) }),
      withClaims({ exp: 1e300 }),
      withClaims({ padding: 'x'.repeat(8_500) }),
      `${token}==`,
      `${token}.${signature}`,
      `${header}.${claims}`,
      JSON.stringify({ protected: header, payload: claims, signature }),
      '..',
      '%00',
      'x'.repeat(9 * 1024),
    ]) {
      const answer = await get('/member/me', hostile);
      expect(answer.body, hostile.slice(0, 40)).toMatchObject(unauthorized);
      expect(answer.body.data).toBeUndefined();
    }
    expect((await get('/member/me', token)).status).toBe(200);
  });

  it('does not hide behind a second Authorization header', async () => {
    const [{ token }, { token: other }] = [await logIn(), await logIn()];

    for (const headers of [
      ['Authorization', `Bearer ${token}`, 'Authorization', `Bearer ${other}`],
      ['Authorization', `Bearer ${token}`, 'authorization', `Bearer ${token}`],
      ['Authorization', 'Bearer x', 'Authorization', `Bearer ${token}`],
      ['Authorization', `Bearer ${token}`, 'Authorization', ''],
    ])
      expect(await getWithRawHeaders('/member/me', headers), headers.join().slice(0, 40)).toMatchObject(
        unauthorized,
      );
  });
});

/** `fetch` would join the two headers into one. */
async function getWithRawHeaders(path: string, headers: readonly string[]): Promise<unknown> {
  const url = new URL(inject('baseUrl') + path);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    httpRequest(url, { headers: ['Host', url.host, ...headers] }, resolve)
      .on('error', reject)
      .end();
  });
  return JSON.parse((await response.toArray()).join(''));
}
