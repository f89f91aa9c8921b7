/** The load generator: a thread of its own, so that its work delays no answer of the gateway it measures. */
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
}

/** Told by the generator when all is answered; milliseconds. */
export interface LoadResult {
  readonly durations: readonly number[];
  readonly elapsedMs: number;
}

async function send({ method, url, token, body }: LoadRequest): Promise<number> {
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
  if (response.status !== 200) throw new Error(`${method} ${url} answered ${response.status}: ${text}`);
  return duration;
}

async function run({ requests, concurrency }: Load): Promise<LoadResult> {
  const durations: number[] = [];
  const waiting = requests.values();
  const client = async (): Promise<void> => {
    for (const request of waiting) durations.push(await send(request));
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: concurrency }, client));
  return { durations, elapsedMs: performance.now() - startedAt };
}

parentPort?.on('message', async (load: Load) => parentPort?.postMessage(await run(load)));
