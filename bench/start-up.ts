/** Measures how long each bundle takes to start: a fresh process until it has a handler, as in Lambda's INIT. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { createResolver, loadTemplate, readFunctions } from 'local-aws';
import { compare, type Measurement } from './measurement.ts';

/** How often each bundle starts; the first start, which reads from a cold disk, is not counted. */
export interface StartUpCounts {
  readonly starts: number;
}

interface Bundle {
  readonly row: string;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
}

const program = `
const { handler } = await import('./index.mjs');
if (typeof handler !== 'function') throw new Error('no handler');
console.log(performance.now());
process.exit();
`;

/**
 * Measures; the floor is a module with nothing but a handler, which is the start of Node.js itself.
 *
 * @param assemblyDirectory a cloud assembly, with its bundles
 */
export async function measureStartUp(
  assemblyDirectory: string,
  { starts }: StartUpCounts,
): Promise<readonly Measurement[]> {
  const empty = await mkdtemp(path.join(tmpdir(), 'wechat-login-empty-'));
  const upstream = await startRefusingServer();
  try {
    await writeFile(path.join(empty, 'index.mjs'), 'export const handler = () => {};\n');
    const functions = readFunctions(createResolver(loadTemplate(assemblyDirectory)), {
      dynamodb: upstream.url,
      secretsManager: upstream.url,
    });
    const bundles: Bundle[] = [
      { row: 'an empty module', directory: empty, environment: {} },
      ...functions.map(({ logicalId, directory, environment }) => ({
        row: logicalId.replace(/Function.*/, ''),
        directory,
        environment: { ...environment, WECHAT_API_BASE: upstream.url },
      })),
    ];
    const series = await Promise.all(
      bundles.map(async ({ row, directory }) => ({
        row,
        durations: [] as number[],
        sizeKb: (await stat(path.join(directory, 'index.mjs'))).size / 1024,
      })),
    );
    for (let round = 0; round <= starts; round++) {
      for (const [at, bundle] of bundles.entries()) {
        const duration = await startOnce(bundle);
        if (round > 0) series[at]?.durations.push(duration);
      }
    }
    return compare('start of a bundle', series);
  } finally {
    upstream.close();
    await rm(empty, { recursive: true });
  }
}

/** Milliseconds from the start of the process to its handler. */
async function startOnce({ directory, environment }: Bundle): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    cwd: directory,
    env: { ...environment },
  });
  return Number(stdout.trim().split('\n').at(-1));
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
