import { once } from 'node:events';
import { createServer, IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { DomainError } from '../../../functions/errors/domain-error.ts';
import { loadJwksFromUrl } from '../../../functions/keys/published-at-url.ts';
import { createTestKey, type TestKey } from '../../fixtures/tokens.ts';
import { weakKeys } from '../../fixtures/weak-keys.ts';

let key: TestKey;
let server: Server | undefined;

beforeAll(async () => {
  key = await createTestKey();
});
afterEach(() => {
  server?.close();
  server?.closeAllConnections();
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/.well-known/jwks.json`;
}

const serveText = (text: string, status = 200) =>
  serve((_, response) => response.writeHead(status).end(text));

const failureOf = async (url: string): Promise<DomainError> => {
  const error: unknown = await loadJwksFromUrl(url).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DomainError);
  expect(error).toMatchObject({ code: 'unavailable' });
  return error as DomainError;
};

describe('loadJwksFromUrl', () => {
  it('reads the published set', async () => {
    expect(await loadJwksFromUrl(await serveText(JSON.stringify(key.jwks)))).toEqual(key.jwks);
  });

  it('ignores members and keys that a later issuer may add, and takes no private member over', async () => {
    const elliptic = { kty: 'EC', crv: 'P-256', kid: 'e', alg: 'ES256', use: 'sig', x: 'x', y: 'y' };
    const keys = [elliptic, { ...key.publicJwk, x5t: 'x', d: 'private' }, null, 5, {}];

    const jwks = await loadJwksFromUrl(await serveText(JSON.stringify({ keys, more: true })));

    expect(jwks).toEqual(key.jwks);
  });

  it('leaves keys out that somebody else could sign with', async () => {
    const keys = [...(await weakKeys()), key.publicJwk];

    expect(await loadJwksFromUrl(await serveText(JSON.stringify({ keys })))).toEqual(key.jwks);
  });

  it.each([404, 500, 204, 403])('takes status %i for no answer', async (status) => {
    const url = await serveText(status === 204 ? '' : JSON.stringify(key.jwks), status);

    expect((await failureOf(url)).reason).toBe(`the issuer's JWK Set: status ${status}`);
  });

  it('follows no redirect', async () => {
    let requests = 0;
    const url = await serve((_, response) => {
      requests += 1;
      response.writeHead(302, { location: '/elsewhere' }).end();
    });

    expect((await failureOf(url)).reason).toBe("the issuer's JWK Set: status 302");
    expect(requests).toBe(1);
  });

  it('stops reading a body that has no end', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const url = await serve((_, response) => {
      const more = setInterval(() => response.write('x'.repeat(16_384)), 1);
      response.on('close', () => {
        clearInterval(more);
        resolve();
      });
    });

    expect((await failureOf(url)).reason).toBe("the issuer's JWK Set: too large");
    await closed;
  });

  /** Time that is over when a test says so, and the milliseconds that were asked for. */
  function holdTime() {
    const time = new AbortController();
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(time.signal);
    onTestFinished(() => timeout.mockRestore());
    return { end: () => time.abort(), asked: () => timeout.mock.calls.map(([ms]) => ms) };
  }

  it('gives up when its time is over before the first byte', async () => {
    const { end, asked } = holdTime();
    const url = await serve(end);

    expect((await failureOf(url)).reason).toBe("the issuer's JWK Set: no response in time");
    // Four round trips of 600 ms and two dead addresses need no less.
    expect(asked()).toEqual([3_000]);
  });

  it('gives up when its time is over between two bytes of the body', async () => {
    const { end, asked } = holdTime();
    const url = await serve((_, response) => response.write('{'));
    const read = vi.spyOn(IncomingMessage.prototype, 'read').mockImplementation(function (
      this: IncomingMessage,
      size,
    ) {
      const chunk = Readable.prototype.read.call(this, size);
      // Once the client has the byte, and waits for more.
      if (chunk !== null) setImmediate(end);
      return chunk;
    });
    onTestFinished(() => read.mockRestore());

    expect((await failureOf(url)).reason).toBe("the issuer's JWK Set: no response in time");
    expect(read.mock.results.filter(({ value }) => value !== null).map(({ value }) => `${value}`)).toEqual([
      '{',
    ]);
    expect(asked()).toEqual([3_000]);
  });

  it('asks for no encoding, and reads past an informational answer', async () => {
    let asked: unknown;
    const url = await serve((request, response) => {
      asked = request.headers['accept-encoding'];
      response.writeContinue();
      response.end(JSON.stringify(key.jwks));
    });

    expect(await loadJwksFromUrl(url)).toEqual(key.jwks);
    expect(asked).toBe('identity');
  });

  it.each(['', 'not json secret', '[]', 'null', '{"keys":"secret"}', '{"key":[]}', '<html>secret</html>'])(
    'refuses %j without quoting it',
    async (text) => {
      const error = await failureOf(await serveText(text));

      expect(error.reason).toBe("the issuer's JWK Set: not a JWK Set");
      expect(`${error.stack} ${error.cause}`).not.toContain('secret');
    },
  );

  it('names no address when nobody listens', async () => {
    const error = await failureOf('http://127.0.0.1:1/secret');

    expect(error.reason).toBe("the issuer's JWK Set: no response");
    expect(`${error.stack} ${error.cause}`).not.toContain('secret');
  });
});
