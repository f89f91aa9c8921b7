/** What the service has responded in a run, kept in a file: several processes see parts of it. */
import { appendFileSync, readFileSync } from 'node:fs';
import type { RequestRecord } from 'local-aws';

/** One response, and what it responds to. */
export type RecordedResponse = Pick<RequestRecord, 'method' | 'path' | 'status' | 'headers'> & {
  readonly body: string;
};

/** Appends each response to a file. */
export const recordTo =
  (file: string) =>
  ({ method, path, status, headers, body }: RequestRecord): void =>
    appendFileSync(file, `${JSON.stringify({ method, path, status, headers, body: body.toString() })}\n`);

/** All of them, in the order of their arrival. */
export const recordedIn = (file: string): RecordedResponse[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RecordedResponse);
