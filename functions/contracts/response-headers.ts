/** Headers that responses carry whoever sends them: the functions, API Gateway by itself, or WAF. */
import { type ErrorCode, type ErrorEntry, errorCatalogue } from './errors.ts';

/** On every response: the media type is as it is said, and browsers that were here once come back by https only. */
export const securityHeaders = {
  'Strict-Transport-Security': 'max-age=31536000',
  'X-Content-Type-Options': 'nosniff',
} as const;

/** On every response of a function: it is for one caller, at one moment. */
export const functionHeaders = { 'Cache-Control': 'no-store', ...securityHeaders } as const;

/**
 * On every response of an error.
 *
 * @param retryAfterSeconds default: what the catalogue says
 */
export function errorHeaders(error: ErrorCode, retryAfterSeconds?: number): Readonly<Record<string, string>> {
  const { challenge, retryAfterSeconds: usual }: ErrorEntry = errorCatalogue[error];
  const wait = retryAfterSeconds ?? usual;
  return {
    ...functionHeaders,
    ...(challenge !== undefined && { 'WWW-Authenticate': challenge }),
    ...(wait !== undefined && { 'Retry-After': String(wait) }),
  };
}
