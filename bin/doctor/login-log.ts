/**
 * What the login function's log says about one request. Clients are told only that WeChat is set up wrongly; why is in
 * the log, which takes the operator's permissions to read.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import * as v from 'valibot';

/** `npm start` prints the function's name before its lines. */
const logLine = v.pipe(
  v.string(),
  v.transform((line) => line.slice(line.indexOf('{'))),
  v.parseJson(),
  v.object({
    request_id: v.string(),
    reason: v.string(),
    wechat_errcode: v.optional(v.number()),
  }),
);
const logLines = v.pipe(v.string(), v.parseJson(), v.array(v.string()));

/** Why a request failed. */
export type LoggedFailure = v.InferOutput<typeof logLine>;

/** A log that can be looked through. */
export interface LoginLog {
  /** The failure of a request; undefined when the log cannot be read or has nothing of it. */
  find(requestId: string): Promise<LoggedFailure | undefined>;
  /** For a person: where to look for it. */
  whereToLook(requestId: string): string;
}

/** How often and how long a line is waited for, milliseconds. */
interface Patience {
  readonly everyMs: number;
  readonly forMs: number;
}

/** The output of `npm start`, kept in a file. */
export function fileLog(path: string): LoginLog {
  return {
    find: (requestId) =>
      waitFor(requestId, { everyMs: 100, forMs: 2_000 }, async () =>
        (await readFile(path, 'utf8')).split('\n'),
      ),
    whereToLook: (requestId) => `the reason of request ${requestId} in ${path}`,
  };
}

/** The terminal in which `npm start` runs, which only its user can read. */
export const terminalLog: LoginLog = {
  find: async () => undefined,
  whereToLook: (requestId) =>
    `the reason of request ${requestId} in what npm start prints; with its output in a file, --log FILE reads it`,
};

/** A log group of CloudWatch, read with the AWS CLI, whose region and credentials these commands use anyway. */
export function cloudWatchLog(logGroup: string): LoginLog {
  // The clock of this machine may be ahead.
  const startTime = Date.now() - 10 * 60_000;
  const args = (requestId: string): string[] => [
    ...['logs', 'filter-log-events', '--log-group-name', logGroup, '--start-time', String(startTime)],
    ...['--filter-pattern', `{ $.request_id = "${requestId}" }`],
    ...['--query', 'events[].message', '--output', 'json'],
  ];
  return {
    find: (requestId) =>
      waitFor(requestId, { everyMs: 2_000, forMs: 20_000 }, async () => {
        const { stdout } = await promisify(execFile)('aws', args(requestId), { timeout: 20_000 });
        return v.parse(logLines, stdout);
      }),
    whereToLook: (requestId) =>
      `the reason of request ${requestId} in the log group ${logGroup}, with Logs Insights: ` +
      `fields reason, wechat_errcode | filter request_id = "${requestId}"`,
  };
}

/** Undefined at once when the log cannot be read, for want of a file, a program or a permission. */
async function waitFor(
  requestId: string,
  { everyMs, forMs }: Patience,
  readLines: () => Promise<readonly string[]>,
): Promise<LoggedFailure | undefined> {
  const giveUpAt = performance.now() + forMs;
  try {
    let found = failureOf(requestId, await readLines());
    while (found === undefined && performance.now() < giveUpAt) {
      await setTimeout(everyMs);
      found = failureOf(requestId, await readLines());
    }
    return found;
  } catch {
    return undefined;
  }
}

function failureOf(requestId: string, lines: readonly string[]): LoggedFailure | undefined {
  for (const line of lines) {
    const read = v.safeParse(logLine, line);
    if (read.success && read.output.request_id === requestId) return read.output;
  }
  return undefined;
}
