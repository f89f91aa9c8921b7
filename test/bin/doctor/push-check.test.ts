import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Problem, Remark } from '../../../bin/command/check.ts';
import { type PushTokenOf, pushChecks } from '../../../bin/doctor/push-check.ts';

const appid = 'wx0123456789abcdef';
const TOKEN = 'TheTokenOfThePush';

let server: Server;
let url: string;
/** What the deployment does with the echostr of a request that is signed as WeChat signs. */
let answer: (echostr: string, response: ServerResponse) => void;
beforeAll(async () => {
  server = createServer(({ method, url: address = '' }, response) => {
    const { pathname, searchParams } = new URL(address, 'http://localhost');
    const [timestamp = '', nonce = '', signature, echostr = ''] = [
      'timestamp',
      'nonce',
      'signature',
      'echostr',
    ].map((name) => searchParams.get(name) ?? undefined);
    const expected = createHash('sha1').update([TOKEN, timestamp, nonce].sort().join('')).digest('hex');
    const timely = Math.abs(Date.now() / 1000 - Number(timestamp)) < 300;
    const known = method === 'GET' && pathname === `/base/wechat/events/${appid}` && searchParams.size === 4;
    if (!known || signature !== expected || !timely || echostr === '') response.writeHead(401).end('{}');
    else answer(echostr, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/base`;
});
afterAll(() => server.close());

const deployment = () => ({
  url,
  issuer: url,
  stage: 'prod',
  appids: [appid, undefined],
  keyRotationDays: 30,
});

/** What the one check says or throws. */
async function look(pushTokenOf: PushTokenOf = async () => TOKEN): Promise<unknown> {
  const checks = pushChecks(deployment(), pushTokenOf);
  expect(checks.map(({ name }) => name)).toEqual([`message push of ${appid}`]);
  return checks[0]?.look().catch((error: unknown) => error);
}

it('signs as WeChat does, and is content with what it sent', async () => {
  answer = (echostr, response) => response.end(echostr);

  expect(await look()).toBe(`${url}/wechat/events/${appid} is verified`);
});

it('sends something else each time, so that no kept response passes', async () => {
  const sent = new Set<string>();
  answer = (echostr, response) => response.end(String(sent.add(echostr) && echostr));

  await look();
  await look();

  expect(sent.size).toBe(2);
});

it('says that nothing is set up where there is no Token', async () => {
  expect(await look(async () => undefined)).toMatch(/^not set up: /);
});

it.each<[string, PushTokenOf | undefined, typeof answer, RegExp]>([
  [
    'another Token',
    async () => 'AnotherToken',
    (echostr, response) => response.end(echostr),
    /refuses a signed request/,
  ],
  [
    'an envelope around it',
    undefined,
    (echostr, response) => response.end(`"${echostr}"`),
    /answers 200 instead/,
  ],
  ['a failure', undefined, (_, response) => response.writeHead(503).end(), /answers 503 instead/],
  [
    'a redirect',
    undefined,
    (_, response) => response.writeHead(302, { location: '/' }).end(),
    /answers 302 instead/,
  ],
  ['a connection that ends', undefined, (_, response) => response.destroy(), /the connection to \S+ fails/],
])('finds %s, and does not repeat the Token', async (_what, pushTokenOf, answering, words) => {
  answer = answering;

  const problem = await look(pushTokenOf);

  if (!(problem instanceof Problem)) throw problem;
  expect(problem.message).toMatch(words);
  for (const token of [TOKEN, 'AnotherToken']) expect(problem.message).not.toContain(token);
});

it('passes on that the Token cannot be read', async () => {
  const remark = new Remark('the secret cannot be read');

  expect(await look(() => Promise.reject(remark))).toBe(remark);
});
