/** Measures what the login function takes of its memory after many logins: what grows would end an environment some day. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { LocalService } from '../../local/service.ts';
import { compare, type Measurement } from '../measurement.ts';
import { withControlGroup } from './control-group.ts';
import { readDistantFunctions, startLoopback } from './functions.ts';

/** How much is measured. */
export interface MemoryCounts {
  readonly logins: number;
  /** Of the function. */
  readonly memoryMb: number;
}

/** Logins between two samples; each part has a tenth of all. */
const PARTS = 10;
/** Members who log in again and again, new ones at first. */
const USERS = 1_000;

const program = `
const { handler } = await import('./index.mjs');
const { PARTS, USERS, LOGINS } = process.env;
const samples = [];
let sent = 0;
const logIn = async () => {
  const n = sent++;
  const { statusCode, body } = await handler({
    httpMethod: 'POST',
    resource: '/member/login',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ code: (n % USERS) + '-' + n }),
    requestContext: { requestId: String(n) },
  });
  if (statusCode !== 200) throw new Error(body);
};
for (let part = 1; part <= PARTS; part++) {
  const end = (LOGINS / PARTS) * part;
  while (sent < end) await logIn();
  gc();
  const { rss, heapUsed } = process.memoryUsage();
  samples.push([rss / 1e6, heapUsed / 1e6]);
}
process.send(samples, () => process.exit());
`;

/** In MB in place of milliseconds: the first part of the logins is the floor of the last. More than there is ends it. */
export async function measureMemory(
  service: LocalService,
  { logins, memoryMb }: MemoryCounts,
): Promise<readonly Measurement[]> {
  const wechat = await startObligingWechat();
  const { functionOf, close } = await readDistantFunctions(service);
  try {
    const found = functionOf('LoginFunction');
    const samples = await run(memoryMb, found.directory, {
      ...found.environment,
      WECHAT_API_BASE: wechat.url,
      PARTS: String(PARTS),
      USERS: String(USERS),
      LOGINS: String(logins),
    });
    const rowsOf = (column: 0 | 1) =>
      samples.map((sample, at) => ({
        row: `after ${(logins / PARTS) * (at + 1)} logins`,
        durations: [sample[column]],
      }));
    return [
      ...compare(`memory of an environment of ${memoryMb} MB, MB`, rowsOf(0)),
      ...compare('its heap after a collection, MB', rowsOf(1)),
    ];
  } finally {
    wechat.close();
    close();
  }
}

type Sample = readonly [rssMb: number, heapMb: number];

/** From its first moment in the group: V8 sizes its heap by the memory that it finds. */
function run(memoryMb: number, cwd: string, env: NodeJS.ProcessEnv): Promise<readonly Sample[]> {
  const settings = { 'memory.limit_in_bytes': memoryMb * 1024 * 1024 };
  return withControlGroup(settings, async (group) => {
    const args = ['--expose-gc', '--input-type=module', '-e', program];
    const inGroup = ['-c', `echo $$ > ${group} && exec "$@"`, 'sh', process.execPath, ...args];
    const child = spawn('/bin/sh', inGroup, { cwd, env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const ended = once(child, 'exit');
    let samples: readonly Sample[] = [];
    child.once('message', (message) => {
      samples = message as readonly Sample[];
    });
    const [code, signal] = await ended;
    if (code !== 0) throw new Error(`The logins ended with ${signal ?? code}`);
    return samples;
  });
}

/** Takes every code, and knows its user by what stands before the dash. */
const startObligingWechat = () =>
  startLoopback((request, response) => {
    const code = new URL(request.url ?? '/', 'http://localhost').searchParams.get('js_code') ?? '';
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ openid: `o${code.split('-')[0]}`, session_key: 'none' }));
  });
