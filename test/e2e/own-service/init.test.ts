/** INIT does what a first request would wait for; and what a bundle leaves out is not missed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFunctions } from 'local-aws';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createRequests, type Requests } from '../../../bench/bundles/requests.ts';
import type { LocalService } from '../../../local/service.ts';
import { startSharedStack } from '../../fixtures/local-service.ts';

/** One of the services that a function calls: passes requests on, and keeps what it was called. */
interface Watched {
  readonly url: string;
  readonly calls: string[];
  connections(): number;
}

let service: LocalService;
let requests: readonly Requests[];
beforeAll(async () => {
  service = await startSharedStack();
  requests = await createRequests(service);
});
afterAll(() => service.close());

async function watch(target: string): Promise<Watched> {
  const { hostname, port } = new URL(target);
  const calls: string[] = [];
  let connections = 0;
  const server = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    calls.push(String(headers['x-amz-target'] ?? `${method} ${url?.split('?')[0]}`).replace(/^.*\./, ''));
    incoming.pipe(
      request({ hostname, port, method, path: url, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      }),
    );
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, calls, connections: () => connections };
}

/** INIT waits for its warm-up without an end: where the machine is busy, the limit would cut off what is counted here. */
const program = `
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';
timers.setTimeout = () => new Promise(() => {});
syncBuiltinESMExports();
const rehearsed = [];
for (const name of ['sign', 'verify']) {
  const real = SubtleCrypto.prototype[name];
  SubtleCrypto.prototype[name] = function (...args) { rehearsed.push(name); return real.apply(this, args); };
}
const { handler } = await import('./index.mjs');
process.send({ rehearsed });
process.once('message', async (event) => {
  const { statusCode = 200 } = await handler(event);
  process.send({ statusCode }, () => process.exit());
});
`;

/** What a function calls in INIT, and what its first request adds. */
async function start(name: string) {
  const kind = requests.find(({ bundle }) => bundle === name);
  const dynamodb = await watch(service.dynamodbEndpoint);
  const secretsManager = await watch(service.secretsManagerEndpoint);
  const wechat = await watch(service.simulatorUrl ?? '');
  const found = readFunctions(service.resolver, {
    dynamodb: dynamodb.url,
    secretsManager: secretsManager.url,
  }).find(({ logicalId }) => logicalId.startsWith(kind?.idPrefix ?? '-'));
  const child: ChildProcess = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: found?.directory,
    env: { ...found?.environment, WECHAT_API_BASE: wechat.url },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  onTestFinished(() => void child.kill());
  const services = { dynamodb, secretsManager, wechat };
  const state = () =>
    Object.fromEntries(
      Object.entries(services).map(([of, { calls, connections }]) => [
        of,
        { calls: calls.splice(0).sort(), connections: connections() },
      ]),
    );
  const [{ rehearsed }] = (await once(child, 'message')) as [{ rehearsed: string[] }];
  const init = state();
  const [event] = (await kind?.events(1)) ?? [];
  child.send(event ?? {});
  const [{ statusCode }] = (await once(child, 'message')) as [{ statusCode: number }];
  expect(statusCode).toBe(200);
  return { rehearsed, init, first: state() };
}

describe('INIT', () => {
  it('of login reads both secrets, signs, and opens each connection of the first login', async () => {
    const { rehearsed, init, first } = await start('login');

    expect(rehearsed).toEqual(['sign']);
    expect(init.dynamodb).toEqual({ calls: ['GetItem', 'GetItem'], connections: 2 });
    expect(init.secretsManager?.calls).toEqual(['GetSecretValue', 'GetSecretValue']);
    expect(init.wechat).toEqual({ calls: ['GET /'], connections: 1 });
    expect(first.dynamodb).toEqual({ calls: ['PutItem', 'Query'], connections: 2 });
    expect(first.secretsManager?.calls).toEqual([]);
    expect(first.wechat).toEqual({ calls: ['GET /sns/jscode2session'], connections: 1 });
  });

  it('of the authorizer reads the keys, verifies, and looks for a revocation', async () => {
    const { rehearsed, init, first } = await start('authorizer');

    expect(rehearsed).toEqual(['verify']);
    expect(init.dynamodb).toEqual({ calls: ['BatchGetItem', 'GetItem'], connections: 2 });
    expect(first.dynamodb).toEqual({ calls: ['BatchGetItem'], connections: 2 });
  });

  it('of member opens its connection', async () => {
    const { init, first } = await start('member');

    expect(init.dynamodb).toEqual({ calls: ['GetItem'], connections: 1 });
    expect(first.dynamodb).toEqual({ calls: ['GetItem'], connections: 1 });
  });
});
