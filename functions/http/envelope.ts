/** The one shape of every answer: `{code, msg, data | error, request_id}`. */
import type { APIGatewayProxyResult } from 'aws-lambda';
import { errorCatalogue } from '../contracts/errors.ts';
import type { DomainError } from '../errors/domain-error.ts';
import type { Language } from './language.ts';

const headers = { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' };

/** A 200 with `data`. */
export function success(data: object, requestId: string): APIGatewayProxyResult {
  return {
    statusCode: 200,
    headers,
    body: JSON.stringify({ code: 200, msg: 'ok', data, request_id: requestId }),
  };
}

/** A refusal: the catalogue's status and text in the caller's language, and `Retry-After` where waiting helps. */
export function failure(error: DomainError, requestId: string, language: Language): APIGatewayProxyResult {
  const entry = errorCatalogue[error.code];
  const separator = language === 'zh' ? '：' : ': ';
  const msg =
    error.detail === undefined ? entry[language] : entry[language] + separator + error.detail[language];
  const { retryAfterSeconds } = error;
  return {
    statusCode: entry.status,
    headers:
      retryAfterSeconds === undefined ? headers : { ...headers, 'Retry-After': String(retryAfterSeconds) },
    body: JSON.stringify({ code: entry.status, msg, error: error.code, request_id: requestId }),
  };
}
