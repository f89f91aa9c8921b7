/** Structured log lines, one JSON object each, with the members that Powertools would give them (docs/decisions/0026). */
import { writeLine } from './write-line.ts';

/** What a log line says beside its message; safe values only: no code, token, secret, openid or phone number. */
export type LogFields = Record<string, string | number | boolean | undefined>;

/** Writes log lines. */
export interface Log {
  info(message: string, fields: LogFields): void;
  /** For what an operator should look at. */
  error(message: string, fields: LogFields): void;
}

/** The log of the function this runs in, of the service that `POWERTOOLS_SERVICE_NAME` names. */
export const log: Log = {
  info: (message, fields) => write('INFO', message, fields),
  error: (message, fields) => write('ERROR', message, fields),
};

/** What becomes of a line before it is written: lines, itself among them. */
let complete = (line: object): readonly object[] => [line];

/** Lets lines take along what was measured; a function without metrics does not carry the code for them. */
export function completeLinesWith(completion: typeof complete): void {
  complete = completion;
}

/** Whether this environment has written a line. */
let started = false;

function write(level: 'INFO' | 'ERROR', message: string, fields: LogFields): void {
  const timestamp = new Date().toISOString();
  // Lambda's own, one for each invocation; what an operator finds the trace in X-Ray by, if there is one.
  const trace = process.env._X_AMZN_TRACE_ID ?? '';
  const [, xray_trace_id] = (trace.includes('Sampled=0') ? undefined : /Root=([^;]+)/.exec(trace)) ?? [];
  const line = { level, message, timestamp, service: process.env.POWERTOOLS_SERVICE_NAME, xray_trace_id };
  // What Lambda's own lines would say, which are turned off (lib/compute/service-function.ts).
  const environment = {
    memory_mb: Math.round(process.memoryUsage.rss() / 1_000_000),
    ...(!started && { cold_start_ms: Math.round(performance.now()) }),
  };
  started = true;
  // The line's own members come first, and no field replaces them.
  for (const each of complete({ ...line, ...fields, ...environment, ...line })) writeLine(each);
}
