/** Structured log lines, one JSON object each, through Powertools. */
import { Logger } from '@aws-lambda-powertools/logger';

/** What a log line says beside its message; safe values only: no code, token, secret, openid or phone number. */
export type LogFields = Record<string, string | number | boolean | undefined>;

/** Writes log lines. */
export interface Log {
  info(message: string, fields: LogFields): void;
  /** For what an operator should look at. */
  error(message: string, fields: LogFields): void;
}

/** The log of the function this runs in, of the service that `POWERTOOLS_SERVICE_NAME` names. */
export const log: Log = new Logger();
