/** The load generator: a thread of its own, so that its work delays no response of the gateway it measures. */
import { parentPort } from 'node:worker_threads';

/** One request of a load. */
export interface LoadRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly token?: string;
  /** JSON text. */
  readonly body?: string;
}

/** Told to the generator: what to send, and how many at once. */
export interface Load {
  readonly requests: readonly LoadRequest[];
  readonly concurrency: number;
  /** Whether a request may fail, and is counted. Default: the first that fails ends the bench. */
  readonly mayFail?: boolean;
}

/** Told by the generator when every response is there; milliseconds. */
export interface LoadResult {
  readonly durations: readonly number[];
  readonly elapsedMs: number;
  /** Responses with another status than 200. */
  readonly failed: number;
}

async function send({ method, url, token, body }: LoadRequest, mayFail: boolean) {
  const startedAt = performance.now();
  const response = await fetch(url, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  const duration = performance.now() - startedAt;
  if (response.status !== 200 && !mayFail)
    throw new Error(`${method} ${url} answered ${response.status}: ${text}`);
  return { duration, ok: response.status === 200 };
}

async function run({ requests, concurrency, mayFail = false }: Load): Promise<LoadResult> {
  const durations: number[] = [];
  let failed = 0;
  const waiting = requests.values();
  const client = async (): Promise<void> => {
    for (const request of waiting) {
      const { duration, ok } = await send(request, mayFail);
      durations.push(duration);
      if (!ok) failed += 1;
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: concurrency }, client));
  return { durations, failed, elapsedMs: performance.now() - startedAt };
}

parentPort?.on('message', async (load: Load) => parentPort?.postMessage(await run(load)));
