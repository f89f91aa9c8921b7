/**
 * The live log: each request with everything that the functions wrote about it. A function writes the request id on its
 * line and not on metrics that have a line of their own, so both are kept by the invocation that wrote them, and the line
 * says whose it is.
 */
import type { RequestRecord } from 'local-aws';
import type { Fields, JournalEntry } from './run-state.ts';

/** Joins what a run reports. */
export interface Journal {
  line(functionId: string, line: string, invocationId: string | undefined): void;
  request(record: RequestRecord): void;
  /** The entries after one, of the last few hundred. */
  after(seq: number): readonly JournalEntry[];
  /** Calls for each new entry; returns how to stop. */
  subscribe(listener: (entry: JournalEntry) => void): () => void;
}

const KEPT = 200;

/** What one invocation of a function has written so far. */
interface Written {
  /** Undefined until a line names it. */
  requestId?: string;
  readonly lines: Fields[];
  readonly metrics: Fields[];
}

/** The `error` of our envelope; undefined in any other body. */
export function errorIn(body: string | Buffer): string | undefined {
  const { error } = parsed(body.toString());
  return typeof error === 'string' ? error : undefined;
}

/** The metrics that a line names as its own, and what tells them apart beside the service. */
function metricsOf(aws: unknown): readonly { readonly names: string[]; readonly dimensions: string[] }[] {
  const { CloudWatchMetrics: directives = [] } = (aws ?? {}) as {
    readonly CloudWatchMetrics?: readonly {
      readonly Dimensions: readonly [readonly string[]];
      readonly Metrics: readonly { readonly Name: string }[];
    }[];
  };
  return directives.map(({ Dimensions: [dimensions], Metrics }) => ({
    names: Metrics.map(({ Name }) => Name),
    dimensions: dimensions.filter((name) => name !== 'service'),
  }));
}

function pick(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(names.map((name) => [name, fields[name]]));
}

export function createJournal(): Journal {
  const entries: JournalEntry[] = [];
  const waiting = new Map<string, Written>();
  // Ahead of those of an earlier run on this port, which an open page may have seen.
  let seq = Date.now();
  const listeners = new Set<(entry: JournalEntry) => void>();
  return {
    line(functionId, line, invocationId) {
      const { _aws, service: _service, ...fields } = parsed(line);
      const isRequest = typeof fields.request_id === 'string';
      if (invocationId === undefined || !(isRequest || _aws !== undefined)) return;
      const written: Written = waiting.get(invocationId) ?? { lines: [], metrics: [] };
      waiting.set(invocationId, written);
      const metrics = metricsOf(_aws);
      for (const { dimensions, names } of metrics)
        written.metrics.push(pick(fields, [...names, ...dimensions]));
      if (isRequest) {
        const measured = metrics.flatMap(({ names }) => names);
        const others = Object.keys(fields).filter((name) => !measured.includes(name));
        const { request_id, level: _level, timestamp: _time, ...rest } = pick(fields, others);
        written.requestId = String(request_id);
        written.lines.push({ function: functionId, ...rest });
      }
      // Of requests that never had a response, and of invocations that no request caused.
      if (waiting.size > KEPT) waiting.delete(waiting.keys().next().value ?? '');
    },
    request({ requestId, method, path, status, durationMs, body, refusal }) {
      const error = errorIn(body);
      const written = [...waiting].filter(([, each]) => each.requestId === requestId);
      for (const [invocationId] of written) waiting.delete(invocationId);
      seq += 1;
      const entry: JournalEntry = {
        seq,
        request_id: requestId,
        at: new Date().toISOString(),
        method,
        path,
        status,
        ms: Math.round(durationMs),
        ...(error !== undefined && { error }),
        ...(refusal !== undefined && { refusal }),
        lines: written.flatMap(([, { lines }]) => lines),
        metrics: written.flatMap(([, { metrics }]) => metrics),
      };
      entries.push(entry);
      if (entries.length > KEPT) entries.shift();
      for (const listener of listeners) listener(entry);
    },
    after: (last) => entries.filter((entry) => entry.seq > last),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function parsed(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Fields) : {};
  } catch {
    return {};
  }
}
