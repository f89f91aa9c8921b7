/** What a person at `npm start` sees of requests and of the functions' logs. */
import type { RequestRecord } from 'local-aws';
import { errorIn } from '../../local/console/journal.ts';
import type { Paint } from '../command/output.ts';

/** Ordinary lines and the authorizer's way to say 401 repeat the line per request; metrics are for machines. */
const ROUTINE = /^\{"service":|"level":"INFO"|"errorMessage":"Unauthorized"/;
const METRICS = /,"_aws":.*(?=\}$)/;

/** The line of a request: what was refused is named as the client sees it, by the gateway's own name where that says nothing. */
export function requestLine(record: RequestRecord, paint: Paint): string {
  const { requestId, method, path, status, durationMs, body, refusal, fault } = record;
  const time = new Date().toTimeString().slice(0, 8);
  const error = errorIn(body) ?? refusal;
  const outcome = [status, error].filter((part) => part !== undefined).join(' ');
  const colour = status < 400 ? 'good' : status < 500 ? 'odd' : 'bad';
  return [
    paint('faint', time),
    method,
    path,
    paint(colour, outcome),
    `${Math.round(durationMs)} ms`,
    paint('faint', requestId),
    fault,
  ]
    .filter((part) => part !== undefined)
    .join(' ');
}

/** The line that a function's log line is shown as; undefined when the line of the request says it already. */
export function logLine(functionId: string, line: string): string | undefined {
  return ROUTINE.test(line) ? undefined : `         ${functionId}: ${line.replace(METRICS, '')}`;
}
