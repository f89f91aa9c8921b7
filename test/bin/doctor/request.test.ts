import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, getDefaultAutoSelectFamilyAttemptTimeout } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { call, NoResponse } from '../../../bin/doctor/request.ts';

async function listen(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** DNS is not asked for a name with an empty label. */
const NO_NAME = 'login..invalid';

it.each<[string, () => Promise<string>, string, number?]>([
  [
    'a name that DNS does not know',
    async () => `http://${NO_NAME}/`,
    `the name ${NO_NAME} is not known to DNS`,
  ],
  ['a port that nothing listens at', async () => 'http://127.0.0.1:2/', 'nothing listens at 127.0.0.1:2'],
  ['silence', async () => `http://${await listen(() => {})}/`, 'does not answer in time', 300],
  [
    'an answer that does not end',
    async () => `http://${await listen((_, response) => void response.write('{'))}/`,
    'does not answer in time',
    300,
  ],
  ['no TLS', async () => `https://${await listen(() => {})}/`, 'TLS with 127.0.0.1'],
  [
    'a connection that is cut',
    async () => `http://${await listen((request) => request.socket.destroy())}/`,
    'the connection to 127.0.0.1',
  ],
])(
  '%s is told apart from other reasons why there is no response',
  async (_what, address, words, timeoutMs) => {
    const error = await call(await address(), {}, timeoutMs).catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(NoResponse);
    expect((error as NoResponse).message).toContain(words);
  },
);

it('takes a redirect for a response, and leaves out a body that is not JSON', async () => {
  const host = await listen((_, response) =>
    response.writeHead(302, { location: 'https://a/' }).end('<html>'),
  );

  const { status, body } = await call(`http://${host}/`);

  expect(status).toBe(302);
  expect(body).toBeUndefined();
});

it('abandons no address that is a continent away for the next one', () => {
  expect(getDefaultAutoSelectFamilyAttemptTimeout()).toBeGreaterThan(4 * 600);
});
