/**
 * `npm run test:distance`: a login, a read of the keys and the doctor's look over real TCP and TLS at a distance, to hosts with several
 * addresses, dead ones among them. Needs Linux, root, iproute2, openssl and python3, because it makes a network
 * namespace of its own with a device that delays packets; the same rules are tested without all that in
 * `test/functions/network/open-socket.test.ts`.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { defineCommand, print, runIfMain } from '../../bin/command/command.ts';
import { call } from '../../bin/doctor/request.ts';
import { loadJwksFromUrl } from '../../functions/keys/published-at-url.ts';
import { createCode2Session } from '../../functions/wechat/code2session.ts';
import { createWechatConnection } from '../../functions/wechat/connection.ts';

const HANDSHAKES_MS = [20, 140, 280, 600];
const TLS_VERSIONS = ['TLSv1.3', 'TLSv1.2'] as const;
/** What a dead address costs before the next is tried, and what the machine may need for itself. */
const DEAD_MS = 200;
const SPARE_MS = 250;
/** Of the read of the JWK Set. */
const JWKS_BUDGET_MS = 3_000;

/** A host whose certificate is for other names. */
const STRANGER = 'stranger.test';

interface Host {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly dead: number;
}

const hosts: readonly Host[] = [1, 2, 4, 6].flatMap((count) =>
  [0, 1, 2, 'IPv6'].flatMap((dead) => {
    const deadIpv4 = typeof dead === 'number' ? dead : 0;
    if (deadIpv4 >= count) return [];
    const addresses = Array.from({ length: count }, (_, index) =>
      // The name service puts addresses first that look most like our own, which ends in 1.
      index < deadIpv4 ? `10.9.0.${index + 2}` : `10.9.0.${index + 16}`,
    );
    return {
      name: `addresses-${count}-dead-${dead}.test`.toLowerCase(),
      addresses: dead === 'IPv6' ? ['fd09::2', ...addresses] : addresses,
      dead: dead === 'IPv6' ? 1 : dead,
    } as Host;
  }),
);

/** Runs this file again in a network namespace; gives its exit status. */
function enterNamespace(stderr: Writable): number {
  const missing = ['unshare', 'ip', 'mount', 'openssl', 'python3'].filter(
    (tool) => spawnSync('which', [tool]).status !== 0,
  );
  if (process.getuid?.() !== 0 || missing.length > 0) {
    print(stderr, `Needs root and these tools: ${missing.join(', ') || 'all are here'}`);
    return 1;
  }
  const folder = mkdtempSync(join(tmpdir(), 'distance-'));
  const openssl = `req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=test -keyout ${folder}/key -out ${folder}/cert`;
  const names = hosts.map(({ name }) => `DNS:${name}`).join();
  execFileSync('openssl', [...openssl.split(' '), '-addext', `subjectAltName=${names}`], { stdio: 'ignore' });
  writeFileSync(
    join(folder, 'hosts'),
    [...hosts, { name: STRANGER, addresses: ['10.9.0.99'] }]
      .flatMap(({ name, addresses }) => addresses.map((address) => `${address} ${name}\n`))
      .join(''),
  );
  const inside = `mount --bind ${folder}/hosts /etc/hosts && ip link set lo up && exec "$@"`;
  const { status } = spawnSync(
    'unshare',
    ['--net', '--mount', 'sh', '-c', inside, 'sh', process.execPath, fileURLToPath(import.meta.url), folder],
    { stdio: 'inherit', env: { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'cert') } },
  );
  rmSync(folder, { recursive: true });
  return status ?? 1;
}

/** Everything behind the device `far` is this far away, until the returned function is called. */
async function startDistance(handshakeMs: number): Promise<() => Promise<unknown>> {
  const relay = spawn('python3', [join(import.meta.dirname, 'relay.py'), 'far', String(handshakeMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => relay.kill());
  await once(relay.stdout, 'data');
  execFileSync('ip', ['address', 'add', '10.9.0.1/24', 'dev', 'far']);
  execFileSync('ip', ['-6', 'address', 'add', 'fd09::1/64', 'dev', 'far', 'nodad']);
  execFileSync('ip', ['link', 'set', 'far', 'up']);
  return () => {
    relay.kill();
    return once(relay, 'exit');
  };
}

async function startServer(folder: string, version: (typeof TLS_VERSIONS)[number]) {
  const server = createServer(
    {
      key: readFileSync(join(folder, 'key')),
      cert: readFileSync(join(folder, 'cert')),
      minVersion: version,
      maxVersion: version,
    },
    ({ url }, response) =>
      response.end(url === '/jwks' ? '{"keys":[]}' : '{"session_key":"k","openid":"oFarAway"}'),
  );
  server.listen(443, '10.9.0.1');
  await once(server, 'listening');
  return server;
}

interface Measured {
  readonly ms: number;
  readonly failure?: string;
}

async function measure(work: () => Promise<unknown>): Promise<Measured> {
  const startedAt = performance.now();
  const failure = await work().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  return { ms: Math.round(performance.now() - startedAt), ...(failure !== undefined && { failure }) };
}

const login = (name: string) =>
  measure(async () => {
    const connection = createWechatConnection({ apiBases: [`https://${name}`] });
    try {
      await createCode2Session(connection)({ appid: 'wx0', secret: 's', code: 'c' });
    } finally {
      connection.close();
    }
  });

/** Over TLS too a kept connection that ends is told from one that ends within a response. */
async function loginsOverEndingConnections(server: Server): Promise<Measured> {
  return measure(async () => {
    const connection = createWechatConnection({ apiBases: [`https://${hosts[0]?.name}`] });
    let newest: Socket | undefined;
    let resumed = 0;
    server.on('connection', (socket: Socket) => {
      newest = socket;
    });
    server.on('secureConnection', (socket) => {
      if (socket.isSessionReused()) resumed += 1;
    });
    try {
      for (const end of [undefined, 'end', undefined, 'resetAndDestroy', undefined] as const) {
        if (end !== undefined) server.prependOnceListener('request', () => void newest?.[end]());
        await createCode2Session(connection)({ appid: 'wx0', secret: 's', code: 'c' });
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (resumed < 2) throw new Error('TLS sessions were not resumed');
    } finally {
      connection.close();
    }
  });
}

/** A session must not bring a host in whose certificate was refused: the name is checked in full handshakes alone. */
const strangerIsRefused = () =>
  measure(async () => {
    const connection = createWechatConnection({ apiBases: [`https://${STRANGER}`] });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const exchange = createCode2Session(connection)({ appid: 'wx0', secret: 's', code: 'c' });
      if (
        await exchange.then(
          () => true,
          () => false,
        )
      )
        throw new Error('a host with a wrong certificate was let in');
    }
    connection.close();
  });

async function measureAll(folder: string): Promise<number> {
  let failed = 0;
  const shown = ({ ms, failure }: Measured, possible: boolean): string => {
    if (failure !== undefined && possible) failed += 1;
    return failure === undefined ? `${ms}` : possible ? `FAILED after ${ms}: ${failure}` : `cannot (${ms})`;
  };
  console.log('Milliseconds until the response:\n');
  console.log(
    '| handshake | TLS | host | login | keys | doctor | five logins, two connections end | stranger refused |\n| --- | --- | --- | --- | --- | --- | --- | --- |',
  );
  for (const handshakeMs of HANDSHAKES_MS)
    for (const version of TLS_VERSIONS) {
      const endDistance = await startDistance(handshakeMs);
      const server = await startServer(folder, version);
      const rows = await Promise.all(
        hosts.map(async ({ name, dead }) => {
          const session = await login(name);
          const keys = await measure(() => loadJwksFromUrl(`https://${name}/jwks`));
          const look = await measure(() => call(`https://${name}/`));
          const needed = handshakeMs * (version === 'TLSv1.3' ? 3 : 4) + dead * DEAD_MS + SPARE_MS;
          return [
            `| ${handshakeMs} | ${version} | ${name} | ${shown(session, true)}`,
            `${shown(keys, needed < JWKS_BUDGET_MS)} | ${shown(look, true)} |`,
          ].join(' | ');
        }),
      );
      console.log(rows.join('\n'));
      const ending = await loginsOverEndingConnections(server);
      const stranger = await strangerIsRefused();
      console.log(
        `| ${handshakeMs} | ${version} | | | | | ${shown(ending, true)} | ${shown(stranger, true)} |`,
      );
      server.closeAllConnections();
      server.close();
      await endDistance();
    }
  console.log(failed === 0 ? '\nAll could be reached.' : `\n${failed} could not be reached.`);
  return failed === 0 ? 0 : 1;
}

const run = defineCommand({
  usage: 'Usage: npm run test:distance',
  options: {},
  allowPositionals: true,
  body: async ({ positionals: [folder] }, { stderr }) =>
    folder === undefined ? enterNamespace(stderr) : measureAll(folder),
});

await runIfMain(import.meta, run);
