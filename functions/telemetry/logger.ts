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

function write(level: 'INFO' | 'ERROR', message: string, fields: LogFields): void {
  const timestamp = new Date().toISOString();
  // Lambda's own, one for each invocation; what an operator finds the trace in X-Ray by, and in the log by the trace.
  const [, xray_trace_id] = /Root=([^;]+)/.exec(process.env._X_AMZN_TRACE_ID ?? '') ?? [];
  const line = { level, message, timestamp, service: process.env.POWERTOOLS_SERVICE_NAME, xray_trace_id };
  // The line's own members come first, and no field replaces them.
  writeLine({ ...line, ...fields, ...line });
}
