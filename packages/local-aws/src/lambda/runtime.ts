/** Lambda: an invocation gets an idle environment, else a new one, and waits when the limit is reached. */
import { randomUUID } from 'node:crypto';
import { LocalRunError } from '../errors.ts';
import type { Json } from '../json.ts';
import {
  type ExecutionEnvironment,
  type FunctionSpec,
  type Invocation,
  startEnvironment,
} from './environment.ts';

/** The functions of a stack, ready to be invoked. */
export interface LambdaRuntime {
  readonly functions: readonly FunctionSpec[];
  /** Whether there is a function of this logical id, or ARN with or without a qualifier. */
  has(target: string): boolean;
  /**
   * Invokes a function and waits until it returns; a function that fails is a result, not a rejection.
   *
   * @param target logical id, or ARN with or without a qualifier
   * @throws LocalRunError when there is no such function
   */
  invoke(target: string, event: Json): Promise<Invocation>;
  /**
   * Starts a function's first environment ahead of its first invocation.
   *
   * @returns how long INIT took, milliseconds
   * @throws LocalRunError when INIT failed, with what the function said
   */
  warm(target: string): Promise<number>;
  /**
   * Ends a function's environments, those that are busy after their invocation, and starts one of the bundle as it is now.
   *
   * @throws LocalRunError when INIT failed, with what the function said
   */
  replace(target: string): Promise<void>;
  /** Ends every environment; resolves when all processes are gone. */
  close(): Promise<void>;
}

/**
 * Receives each line a function writes to stdout or stderr.
 *
 * @param invocationId of the invocation that wrote it; undefined for what INIT wrote
 */
export type OnLog = (functionLogicalId: string, line: string, invocationId: string | undefined) => void;

/** Creates the runtime; no environment starts before it is needed or warmed. */
export function createLambdaRuntime(
  functions: readonly FunctionSpec[],
  onLog: OnLog = () => {},
): LambdaRuntime {
  const pools = new Map(functions.map((spec) => [spec.logicalId, createPool(spec, onLog)]));
  const specOf = (target: string): FunctionSpec | undefined =>
    functions.find(
      ({ logicalId, arn }) => logicalId === target || arn === target || target.startsWith(`${arn}:`),
    );
  const poolOf = (target: string): Pool => {
    const spec = specOf(target);
    const pool = spec && pools.get(spec.logicalId);
    if (pool === undefined) throw new LocalRunError(`There is no function ${target} in the template.`);
    return pool;
  };
  return {
    functions,
    has: (target) => specOf(target) !== undefined,
    invoke: async (target, event) => poolOf(target).invoke(JSON.stringify(event)),
    warm: async (target) => poolOf(target).warm(),
    replace: async (target) => poolOf(target).replace(),
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
  };
}

interface Pool {
  invoke(event: string): Promise<Invocation>;
  warm(): Promise<number>;
  replace(): Promise<void>;
  close(): Promise<void>;
}

function createPool(spec: FunctionSpec, onLog: OnLog): Pool {
  const all = new Set<ExecutionEnvironment>();
  const idle: ExecutionEnvironment[] = [];
  /** Those that serve no further invocation. */
  const outdated = new WeakSet<ExecutionEnvironment>();
  const waiting: (() => void)[] = [];
  let busy = 0;
  let closed = false;

  const start = (): ExecutionEnvironment => {
    const environment = startEnvironment(spec, (line, invocationId) =>
      onLog(spec.logicalId, line, invocationId),
    );
    all.add(environment);
    return environment;
  };

  /** The idle environment that was used last, which Lambda prefers; those that died are dropped. */
  const takeIdle = (): ExecutionEnvironment | undefined => {
    for (let candidate = idle.pop(); candidate !== undefined; candidate = idle.pop()) {
      if (candidate.alive()) return candidate;
      all.delete(candidate);
    }
    return undefined;
  };

  const occupied = async <T>(work: (environment: ExecutionEnvironment) => Promise<T>): Promise<T> => {
    if (busy >= spec.maxEnvironments) await new Promise<void>((resolve) => waiting.push(resolve));
    else busy += 1;
    if (closed)
      throw new LocalRunError(`Function ${spec.logicalId} was invoked after the local run had ended.`);
    const environment = takeIdle() ?? start();
    try {
      return await work(environment);
    } finally {
      if (outdated.has(environment)) await environment.close();
      if (environment.alive()) idle.push(environment);
      else all.delete(environment);
      // Pass the slot to the longest waiter, else free it.
      const next = waiting.shift();
      if (next === undefined) busy -= 1;
      else next();
    }
  };

  const warm = () =>
    occupied(async (environment) => {
      const started = performance.now();
      const failed = await environment.initialized;
      if (failed !== undefined)
        throw new LocalRunError(
          `Function ${spec.logicalId} failed to start: ${failed.errorType}: ${failed.errorMessage}`,
        );
      return performance.now() - started;
    });

  return {
    invoke: (event) => occupied((environment) => environment.invoke(randomUUID(), event)),
    warm,
    replace: async () => {
      for (const environment of all) outdated.add(environment);
      const ended = idle.splice(0);
      for (const environment of ended) all.delete(environment);
      await Promise.all(ended.map((environment) => environment.close()));
      await warm();
    },
    close: async () => {
      closed = true;
      await Promise.all([...all].map((environment) => environment.close()));
    },
  };
}
