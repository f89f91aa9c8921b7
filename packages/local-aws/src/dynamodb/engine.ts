/** DynamoDB: an embedded engine as a child process, or any other one that already runs. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { LocalRunError } from '../errors.ts';
import { listenOnLoopback } from '../loopback-server.ts';

interface DatabaseOptions {
  /** Base URL of a DynamoDB that already runs (`DYNAMODB_ENDPOINT`). Default: the embedded engine is started. */
  readonly endpoint?: string | undefined;
  /** File the embedded engine keeps its data in. Default: in memory, gone with the process. */
  readonly dataFile?: string | undefined;
}

/** A DynamoDB that responds. */
export interface Database {
  /** Base URL without a path, for example `http://127.0.0.1:8000`. */
  readonly endpoint: string;
  /** Ends the embedded engine and resolves when it is gone; a DynamoDB that ran before keeps running. */
  stop(): Promise<void>;
}

/** The npm package with the engine's binary; optional, because it exists for one platform only. */
const ENGINE_PACKAGE = '@dynoxide/linux-x64';

/** Longest wait for the engine to listen, milliseconds: only for what hangs, a busy machine takes its time. */
const READY_WITHIN_MS = 60_000;

/** Longest wait for a given endpoint to respond, milliseconds. */
const RESPONSE_WITHIN_MS = 5_000;

/** Another process may take the free port before the engine listens on it. */
const PORT_ATTEMPTS = 5;

/**
 * Runs the engine ("$0" and its arguments) until it ends or file descriptor 3 does. The system closes that
 * pipe however this process dies, `kill -9` included, so the engine never outlives it; an exit handler
 * would miss that. Its files are for their owner alone.
 */
const RUN_UNTIL_PIPE_ENDS =
  'umask 077; "$0" "$@" 3<&- & engine=$!; { cat <&3 >/dev/null; kill "$engine"; } 2>/dev/null & wait "$engine"';

/**
 * Brings up a DynamoDB; resolves when it accepts requests.
 *
 * @throws LocalRunError one sentence on what is wrong: no engine for this platform, it did not start, no response
 */
export async function startDatabase(options: DatabaseOptions = {}): Promise<Database> {
  if (options.endpoint !== undefined) return useRunning(options.endpoint);
  const binary = findEngine();
  for (let attempt = 1; ; attempt++) {
    try {
      return await startEngine(binary, await freePort(), options.dataFile);
    } catch (error) {
      const portTaken = error instanceof Error && error.message.includes('already in use');
      if (!portTaken || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function useRunning(endpoint: string): Promise<Database> {
  if (!URL.canParse(endpoint)) throw new LocalRunError('DYNAMODB_ENDPOINT is not a URL.');
  try {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'DynamoDB_20120810.ListTables',
      },
      body: '{}',
      signal: AbortSignal.timeout(RESPONSE_WITHIN_MS),
    });
    // The request is not signed, so an error of DynamoDB is a response too; anything else that listens there is not.
    const { TableNames, __type } = (await response.json()) as Record<string, unknown>;
    if (TableNames === undefined && __type === undefined)
      throw new LocalRunError('That is no response of DynamoDB.');
  } catch (cause) {
    throw new LocalRunError(`No DynamoDB responds at DYNAMODB_ENDPOINT (${endpoint}).`, { cause });
  }
  return { endpoint, stop: async () => {} };
}

function findEngine(): string {
  try {
    return join(
      dirname(createRequire(import.meta.url).resolve(`${ENGINE_PACKAGE}/package.json`)),
      'dynoxide',
    );
  } catch (cause) {
    throw new LocalRunError(
      `There is no embedded DynamoDB for this platform (the optional package ${ENGINE_PACKAGE} is not installed): set DYNAMODB_ENDPOINT to the URL of a DynamoDB, for example DynamoDB Local.`,
      { cause },
    );
  }
}

async function startEngine(binary: string, port: number, dataFile: string | undefined): Promise<Database> {
  const storage = dataFile === undefined ? [] : ['--db-path', dataFile];
  const child = spawn(
    '/bin/sh',
    ['-c', RUN_UNTIL_PIPE_ENDS, binary, 'serve', '--port', `${port}`, ...storage],
    {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      // A process group of its own: Ctrl-C must not end the database before the gateway.
      detached: true,
    },
  );
  const lifeline = child.stdio[3] as Writable;
  lifeline.on('error', () => {});
  const ended = once(child, 'exit');

  const stop = async (): Promise<void> => {
    lifeline.end();
    await ended;
  };
  try {
    await listening(child, ended);
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoint: `http://127.0.0.1:${port}`, stop };
}

/** Waits until the engine says that it listens: a response on the port could be another process's. */
async function listening(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  let said = '';
  let timer: NodeJS.Timeout | undefined;
  const spoken = new Promise<void>((resolve) => {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      // Read to the end, or the engine would block once the pipe is full.
      if (said.length < 2_000) said += text;
      if (said.includes('listening on')) resolve();
    });
  });
  const failed = Promise.race([
    ended.then(() => 'ended'),
    new Promise<string>((resolve) => {
      timer = setTimeout(resolve, READY_WITHIN_MS, `did not listen within ${READY_WITHIN_MS / 1000} s`);
    }),
  ]).then((what) => {
    throw new LocalRunError(`The embedded DynamoDB ${what}: ${said.trim() || 'it said nothing'}.`);
  });
  try {
    await Promise.race([spoken, failed]);
  } finally {
    clearTimeout(timer);
    failed.catch(() => {});
  }
}

async function freePort(): Promise<number> {
  const { port, close } = await listenOnLoopback(createServer());
  await close();
  return port;
}
