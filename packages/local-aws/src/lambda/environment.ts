/**
 * One execution environment: a process that holds one copy of a function and serves one invocation at a time.
 * A real environment is frozen between invocations; this one keeps running.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** A function as the template defines it. */
export interface FunctionSpec {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  /** Directory of the bundle. */
  readonly directory: string;
  /** `<file>.<export>`. */
  readonly handler: string;
  readonly timeoutMs: number;
  /** How many environments may run at once. */
  readonly maxEnvironments: number;
  /** Whether Node's inspector is open, on a free port; its address is in what the function writes. Default: no. */
  readonly inspect?: boolean;
  /** All variables of the process: the template's and Lambda's own. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Why a function failed, as Lambda words it. */
export interface LambdaError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

/** How an invocation ended; `payload` is JSON text. */
export type Invocation =
  | { readonly ok: true; readonly payload: string }
  | { readonly ok: false; readonly error: LambdaError };

/** Sent to an environment: one invocation. */
export interface InvokeMessage {
  readonly requestId: string;
  /** JSON text. */
  readonly event: string;
  readonly functionArn: string;
  /** Unix time in milliseconds. */
  readonly deadline: number;
}

/** Sent by an environment. */
export type FromEnvironment =
  | { readonly type: 'ready' }
  | { readonly type: 'init-error'; readonly error: LambdaError }
  | { readonly type: 'result'; readonly payload: string }
  | { readonly type: 'error'; readonly error: LambdaError };

/** A started environment. */
export interface ExecutionEnvironment {
  /** Settles when INIT has ended; undefined when it succeeded. */
  readonly initialized: Promise<LambdaError | undefined>;
  /** False once the process has ended or is being ended. */
  readonly alive: () => boolean;
  /** Runs one invocation; resolves after everything it wrote to its streams was passed to `onLog`. */
  invoke(requestId: string, event: string): Promise<Invocation>;
  /** Ends the process; resolves when it is gone. */
  close(): Promise<void>;
}

/**
 * Limit for INIT, milliseconds. Lambda's own is 10 seconds with a CPU for each environment; here they share the CPUs of
 * this machine and all start at once.
 */
const INIT_TIMEOUT_MS = 60_000;

const bootstrap = fileURLToPath(new URL('./bootstrap.ts', import.meta.url));
const streams = ['stdout', 'stderr'] as const;

/** No environment outlives this process: killed here when it exits, and by the closed IPC channel when it is killed. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Where this process keeps compiled code, if anywhere: the bootstrap is found there, and forgets about it. */
const compiledCode = (): NodeJS.ProcessEnv => {
  const { NODE_COMPILE_CACHE } = process.env;
  return NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };
};

/**
 * Starts an environment; INIT begins at once.
 *
 * @param onLog receives each line the function writes, with the id of the invocation that wrote it
 */
export function startEnvironment(
  spec: FunctionSpec,
  onLog: (line: string, invocationId: string | undefined) => void,
): ExecutionEnvironment {
  const child = fork(bootstrap, [], {
    cwd: spec.directory,
    env: { ...spec.environment, ...compiledCode() },
    execArgv: spec.inspect ? ['--inspect=0'] : [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let ended = false;
  const gone = new Promise<void>((resolve) => {
    child.once('close', () => {
      ended = true;
      resolve();
    });
  });
  child.once('exit', () => {
    ended = true;
  });
  const kill = (): void => {
    ended = true;
    child.kill('SIGKILL');
  };
  running.add(child);
  void gone.then(() => running.delete(child));

  let serving: string | undefined;
  const log = (line: string): void => onLog(line, serving);
  const marks = readLogs(child, log);
  const initialized = initialize(child, gone, kill);

  return {
    initialized,
    alive: () => !ended,
    async invoke(requestId, event) {
      const failed = await initialized;
      if (failed !== undefined) return { ok: false, error: failed };
      serving = requestId;
      const deadline = Date.now() + spec.timeoutMs;
      const logged = marks.wait(requestId);
      let timedOut = false;
      const timer = setTimeout(() => {
        timedOut = true;
        kill();
      }, spec.timeoutMs);
      const outcome = new Promise<Invocation>((resolve) => {
        child.once('message', (message: FromEnvironment) => {
          if (message.type === 'result') resolve({ ok: true, payload: message.payload });
          if (message.type === 'error') resolve({ ok: false, error: message.error });
        });
        void gone.then(() => {
          const message = timedOut
            ? `Task timed out after ${(spec.timeoutMs / 1000).toFixed(2)} seconds`
            : `Error: Runtime exited with error: ${child.signalCode === null ? `exit status ${child.exitCode}` : `signal: ${child.signalCode}`}`;
          const errorType = timedOut ? 'Sandbox.Timedout' : 'Runtime.ExitError';
          resolve({ ok: false, error: { errorType, errorMessage: `RequestId: ${requestId} ${message}` } });
        });
        if (!ended) child.send({ requestId, event, functionArn: spec.arn, deadline } satisfies InvokeMessage);
      });
      await Promise.race([Promise.all([outcome, logged]), gone]);
      clearTimeout(timer);
      const result = await outcome;
      if (timedOut && !result.ok) log(result.error.errorMessage);
      return result;
    },
    async close() {
      if (!ended) kill();
      await gone;
    },
  };
}

function initialize(
  child: ChildProcess,
  gone: Promise<void>,
  kill: () => void,
): Promise<LambdaError | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve({
        errorType: 'Sandbox.Timedout',
        errorMessage: `INIT timed out after ${(INIT_TIMEOUT_MS / 1000).toFixed(2)} seconds`,
      });
      kill();
    }, INIT_TIMEOUT_MS);
    child.once('message', (message: FromEnvironment) => {
      clearTimeout(timer);
      // The failure is reported once the process is gone, so that all it logged has been read.
      if (message.type === 'init-error') void gone.then(() => resolve(message.error));
      else resolve(undefined);
    });
    void gone.then(() => {
      clearTimeout(timer);
      const errorMessage = `Runtime exited during INIT: exit status ${child.exitCode}`;
      setImmediate(() => resolve({ errorType: 'Runtime.ExitError', errorMessage }));
    });
  });
}

/** Passes each line on; `wait` resolves when both streams have reached the end mark of an invocation. */
function readLogs(
  child: ChildProcess,
  onLog: (line: string) => void,
): { wait(requestId: string): Promise<void> } {
  const seen = new Map<string, () => void>();
  const reached = new Map<string, number>();
  const read = (stream: Readable): void => {
    createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
      if (!line.startsWith('\0end ')) {
        if (line !== '') onLog(line);
        return;
      }
      const requestId = line.slice('\0end '.length);
      const count = (reached.get(requestId) ?? 0) + 1;
      reached.set(requestId, count);
      if (count < streams.length) return;
      reached.delete(requestId);
      seen.get(requestId)?.();
      seen.delete(requestId);
    });
  };
  for (const name of streams) {
    const stream = child[name];
    if (stream !== null) read(stream);
  }
  return {
    wait: (requestId) => new Promise((resolve) => seen.set(requestId, resolve)),
  };
}
