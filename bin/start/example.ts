/** The example of another team's app beside the login service, built from this working copy, not from a package. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  type Assembly,
  type LocalStack,
  type LocalStackOptions,
  makeTemporaryDirectory,
  startLocalStack,
  synthesize,
} from 'local-aws';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** Makes `dist/`, as `npm run build` does. */
export async function buildPackage(): Promise<void> {
  await promisify(execFile)(process.execPath, [join(repository, 'bin/build.ts')]);
}

/**
 * Synthesizes a copy of the example, which is deleted again; `dist/` must have been built.
 *
 * @param loginStage stage of the login service that the example trusts
 * @throws LocalRunError with what the app said when it failed
 */
export async function synthesizeExample(loginStage: string): Promise<Assembly> {
  const { directory: folder, remove } = await makeTemporaryDirectory();
  try {
    await cp(join(repository, 'examples/other-team'), folder, {
      recursive: true,
      filter: (source) => !source.includes('node_modules'),
    });
    await link('package-lock.json', folder);
    await link('.', join(folder, 'node_modules'), 'wechat-login');
    const { dependencies, devDependencies } = JSON.parse(
      await readFile(join(folder, 'package.json'), 'utf8'),
    );
    const { 'wechat-login': _, ...others } = { ...dependencies, ...devDependencies };
    for (const name of Object.keys(others)) await link(`node_modules/${name}`, folder);
    return await synthesize(folder, { loginStage });
  } finally {
    await remove();
  }
}

/** Where the example's APIs listen. */
export interface Example {
  /** `http://…/orders` of the HTTP API. */
  readonly httpUrl: string;
  /** `http://…/orders` of the REST API. */
  readonly restUrl: string;
  /** `ws://…` */
  readonly webSocketUrl: string;
  close(): Promise<void>;
}

/**
 * Starts the example in the account of a login service that runs.
 *
 * @param assembly what {@link synthesizeExample} gave; it is removed when the example is closed
 * @throws LocalRunError one sentence on what is wrong; whatever had been started is ended again
 */
export async function startExample(
  login: LocalStack,
  assembly: Assembly,
  options: Pick<LocalStackOptions, 'port' | 'host' | 'onLog' | 'onRequest' | 'onDenied'>,
): Promise<Example> {
  try {
    const stack = await startLocalStack({ ...options, assembly: () => assembly.directory, beside: login });
    const urlOf = (wanted: string): string =>
      stack.apis.find(({ protocol }) => protocol === wanted)?.url ?? '';
    return {
      httpUrl: `${urlOf('HTTP')}/orders`,
      restUrl: `${urlOf('REST')}/orders`,
      webSocketUrl: urlOf('WEBSOCKET'),
      close: async () => {
        await stack.close();
        await assembly.remove();
      },
    };
  } catch (error) {
    await assembly.remove();
    throw error;
  }
}

/** The routes of the HTTP and the REST API, and who checks the token there. */
const routes = [
  ['GET', 'httpUrl', 'API Gateway itself'],
  ['POST', 'httpUrl', 'the copy of the authorizer'],
  ['PUT', 'httpUrl', 'the copy, which is not called again'],
  ['DELETE', 'httpUrl', 'the login service'],
  ['GET', 'restUrl', 'the copy, for a REST API'],
] as const;

/** The routes by their addresses. */
export function routesOf(example: Example): readonly { readonly method: string; readonly url: string }[] {
  return routes.map(([method, api]) => ({ method, url: example[api] }));
}

/** Opens the example's routes with a token and returns what happened, with lines to do the same. */
export async function demonstrateExample(
  example: Example,
  tokenLine: string,
  token: string,
): Promise<string> {
  const opened: string[] = [];
  const lines: string[] = [];
  for (const [method, api, who] of routes) {
    const url = example[api];
    const response = await fetch(url, { method, headers: { authorization: `Bearer ${token}` } });
    await response.arrayBuffer();
    opened.push(`  ${response.status}  ${method.padEnd(6)} ${url}  checked by ${who}`);
    const verb = method === 'GET' ? '' : `-X ${method} `;
    lines.push(`  curl -s ${verb}${url} -H "authorization: Bearer $TOKEN"`);
  }
  const socket = new WebSocket(example.webSocketUrl, { headers: { authorization: `Bearer ${token}` } });
  const outcome = await Promise.race([once(socket, 'open'), once(socket, 'error')]);
  socket.close();
  const status = outcome[0].type === 'open' ? 101 : '---';
  opened.push(
    `  ${status}  ${'socket'.padEnd(6)} ${example.webSocketUrl}  checked by the copy, when it connects`,
  );
  return `The same token on the routes of another team (examples/other-team):

${opened.join('\n')}

Call them yourself; the last line opens a WebSocket, for a second:

  ${tokenLine}
${lines.join('\n')}
  curl -si -m 1 ${example.webSocketUrl.replace('ws:', 'http:')} -H "authorization: Bearer $TOKEN" -H 'connection: upgrade' -H 'upgrade: websocket' -H 'sec-websocket-version: 13' -H 'sec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg=='
`;
}

/** Makes a path of the repository appear in another folder. */
async function link(path: string, folder: string, name = path): Promise<void> {
  const at = join(folder, name);
  await mkdir(dirname(at), { recursive: true });
  await symlink(join(repository, path), at);
}
