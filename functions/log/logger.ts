/** Structured log lines, one JSON object each, through Powertools. */
import { Logger } from '@aws-lambda-powertools/logger';

/** What a log line says beside its message; safe values only: no code, token, secret, openid or phone number. */
export type LogFields = Record<string, string | number | boolean | undefined>;

/** Writes one log line. */
export type Log = (message: string, fields: LogFields) => void;

const logger = new Logger({ serviceName: 'wechat-login' });

/** Writes to the function's log; as an error when `status` is a 5xx. */
export const log: Log = (message, fields) => {
  const level = typeof fields.status === 'number' && fields.status >= 500 ? 'error' : 'info';
  logger[level](message, fields);
};
