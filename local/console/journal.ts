/** The live log: each request with everything that the functions wrote about it, joined by its request id. */
import type { RequestRecord } from 'local-aws';
import type { Fields, JournalEntry } from './run-state.ts';

/** Joins what a run reports. */
export interface Journal {
  line(functionId: string, line: string): void;
  request(record: RequestRecord): void;
  /** The entries after one, of the last few hundred. */
  after(seq: number): readonly JournalEntry[];
  /** Calls for each new entry; answers how to stop. */
  subscribe(listener: (entry: JournalEntry) => void): () => void;
}

const KEPT = 200;

/** The `error` of our envelope; undefined in any other body. */
export function errorIn(body: string | Buffer): string | undefined {
  const { error } = parsed(body.toString());
  return typeof error === 'string' ? error : undefined;
}

export function createJournal(): Journal {
  const entries: JournalEntry[] = [];
  const waiting = new Map<string, Fields[]>();
  let metrics: Fields[] = [];
  // Ahead of those of an earlier run on this port, which an open page may have seen.
  let seq = Date.now();
  const listeners = new Set<(entry: JournalEntry) => void>();
  return {
    line(functionId, line) {
      const { _aws, ...fields } = parsed(line);
      if (_aws !== undefined) {
        const { service: _service, function_name: _name, ...counted } = fields;
        metrics.push(counted);
      } else if (typeof fields.request_id === 'string') {
        const { request_id, level: _level, timestamp: _time, service: _service, ...rest } = fields;
        waiting.set(request_id, [...(waiting.get(request_id) ?? []), { function: functionId, ...rest }]);
        // Of requests that were never answered.
        if (waiting.size > KEPT) waiting.delete(waiting.keys().next().value ?? '');
      }
    },
    request({ requestId, method, path, status, durationMs, body, refusal }) {
      const error = errorIn(body);
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
        lines: waiting.get(requestId) ?? [],
        metrics,
      };
      waiting.delete(requestId);
      metrics = [];
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
