/** Measures how long each bundle takes to start: a fresh process until it has a handler, as in Lambda's INIT. */
import { execFile } from 'node:child_process';
import { stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { createResolver, loadTemplate, makeTemporaryDirectory, readFunctions } from 'local-aws';
import type { EnvironmentOf } from '../../functions/contracts/environment.ts';
import { bundle } from '../../lib/compute/bundle.ts';
import { compare, type Measurement } from '../measurement.ts';

/** What starts, and how often. */
export interface StartUpCounts {
  /** Of each bundle; one start more, which reads from a cold disk, is not counted. */
  readonly starts: number;
  /** Another assembly, of an older commit, whose bundles start in turn with these: only one run tells which is faster. */
  readonly beside?: string | undefined;
}

interface Bundle {
  readonly row: string;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
}

const program = `
const { handler } = await import('./index.mjs');
if (typeof handler !== 'function') throw new Error('no handler');
const { user, system } = process.cpuUsage();
console.log(JSON.stringify({ elapsedMs: performance.now(), cpuMs: (user + system) / 1000 }));
process.exit();
`;

/** The least that a function does which talks to AWS: what it costs with nothing but Node.js. */
const bareRequest = `
const load = process.getBuiltinModule;
load('crypto').createHash('sha256').update('').digest();
load('https');
await new Promise((resolve) => load('http').get(process.env.UPSTREAM, (response) => response.resume().on('end', resolve)));
export const handler = () => {};
`;

/**
 * Measures time and CPU time; the floor is a module with nothing but a handler, which is the start of Node.js itself.
 * Each bundle is also compared by its fastest start, which others on this machine have disturbed least.
 *
 * @param assemblyDirectory a cloud assembly, with its bundles
 */
export async function measureStartUp(
  assemblyDirectory: string,
  { starts, beside }: StartUpCounts,
): Promise<readonly Measurement[]> {
  const empty = await makeTemporaryDirectory();
  const bare = await makeTemporaryDirectory();
  const remote = await makeTemporaryDirectory();
  const upstream = await startRefusingServer();
  try {
    await writeFile(path.join(empty.directory, 'index.mjs'), 'export const handler = () => {};\n');
    await writeFile(path.join(bare.directory, 'index.mjs'), bareRequest);
    bundle('remote-authorizer', remote.directory);
    const remoteEnvironment: EnvironmentOf<'remote-authorizer'> = {
      POWERTOOLS_SERVICE_NAME: 'wechat-login-authorizer',
      TOKEN_ISSUER: upstream.url,
      TOKEN_AUDIENCE: 'wechat-login',
      JWKS_URL: upstream.url,
      HTTP_RESPONSE: 'simple',
      CACHE_TTL_SECONDS: '0',
      ALLOWED_APPIDS: '*',
    };
    const bundles: Bundle[] = [
      { row: 'an empty module', directory: empty.directory, environment: {} },
      { row: 'hash, https, one request', directory: bare.directory, environment: { UPSTREAM: upstream.url } },
      ...bundlesOf(assemblyDirectory, upstream.url),
      {
        row: 'Authorizer for other teams',
        directory: remote.directory,
        environment: remoteEnvironment,
      },
      ...(beside === undefined ? [] : bundlesOf(beside, upstream.url)).map((bundle) => ({
        ...bundle,
        row: `${bundle.row}, before`,
      })),
    ];
    const series = await Promise.all(
      bundles.map(async ({ row, directory }) => ({
        row,
        elapsed: [] as number[],
        cpu: [] as number[],
        sizeKb: (await stat(path.join(directory, 'index.mjs'))).size / 1024,
      })),
    );
    for (let round = 0; round <= starts; round++) {
      for (const [at, bundle] of bundles.entries()) {
        const { elapsedMs, cpuMs } = await startOnce(bundle);
        if (round === 0) continue;
        series[at]?.elapsed.push(elapsedMs);
        series[at]?.cpu.push(cpuMs);
      }
    }
    return [
      ...compare(
        'start of a bundle',
        series.map(({ row, elapsed, sizeKb }) => ({ row, durations: elapsed, sizeKb })),
      ),
      ...compare(
        'start of a bundle, CPU time of all threads',
        series.map(({ row, cpu }) => ({ row, durations: cpu })),
      ),
    ];
  } finally {
    upstream.close();
    await empty.remove();
    await bare.remove();
    await remote.remove();
  }
}

function bundlesOf(assemblyDirectory: string, upstream: string): readonly Bundle[] {
  const resolver = createResolver(loadTemplate(assemblyDirectory));
  return readFunctions(resolver, { dynamodb: upstream, secretsManager: upstream }).map(
    ({ logicalId, directory, environment }) => ({
      row: logicalId.replace(/Function.*/, ''),
      directory,
      environment: { ...environment, WECHAT_API_BASE: upstream },
    }),
  );
}

/** Milliseconds from the start of the process to its handler. */
async function startOnce({ directory, environment }: Bundle): Promise<{ elapsedMs: number; cpuMs: number }> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    cwd: directory,
    env: { ...environment },
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

/** In place of AWS and WeChat: refuses every call at once and for good, so that INIT neither waits nor retries: what is left is our own time. */
async function startRefusingServer(): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
    response.end('{"__type":"com.amazonaws#ResourceNotFoundException","message":"nothing is here"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
