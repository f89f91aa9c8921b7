/** What a person at `npm start` sees of requests and of the functions' logs. */
import type { RequestRecord } from 'local-aws';

/** Ordinary lines and the authorizer's way to say 401 repeat the line per request; metrics are for machines. */
const ROUTINE = /^\{"_aws":|"level":"INFO"|"errorMessage":"Unauthorized"/;

/** The line of a request. */
export function requestLine({ method, path, status, durationMs, refusal, fault }: RequestRecord): string {
  const why = [refusal, fault].filter((text) => text !== undefined).join(': ');
  const time = new Date().toTimeString().slice(0, 8);
  return `${time} ${method} ${path} ${status} ${Math.round(durationMs)} ms ${why}`.trimEnd();
}

/** The line that a function's log line is shown as; undefined when the line of the request says it already. */
export function logLine(functionId: string, line: string): string | undefined {
  return ROUTINE.test(line) ? undefined : `         ${functionId}: ${line}`;
}
