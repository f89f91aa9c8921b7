/** The one shape of every response: `{code, msg, data | error, request_id}`. */
import type { APIGatewayProxyResult } from 'aws-lambda';
import { errorEnvelope } from '../contracts/envelope.ts';
import { errorCatalogue } from '../contracts/errors.ts';
import { errorHeaders, functionHeaders } from '../contracts/response-headers.ts';
import type { DomainError } from '../errors/domain-error.ts';
import type { Language } from './language.ts';

const headers = { 'Content-Type': 'application/json; charset=utf-8', ...functionHeaders };

/** A 200 with `data`. */
export function success(data: object, requestId: string): APIGatewayProxyResult {
  return respond({ code: 200, msg: 'ok', data, request_id: requestId });
}

/** A 200 in plain text, for a caller whose protocol leaves no room for the envelope. */
export function plainText(body: string): APIGatewayProxyResult {
  // A URL verification gives back what its caller sent: `nosniff` keeps browsers from taking it for a page.
  return { statusCode: 200, headers: { ...headers, 'Content-Type': 'text/plain; charset=utf-8' }, body };
}

/** An error: the catalogue's status, text in the client's language, and headers. */
export function failure(error: DomainError, requestId: string, language: Language): APIGatewayProxyResult {
  const { status: code, [language]: text } = errorCatalogue[error.code];
  const separator = language === 'zh' ? '：' : ': ';
  const msg = error.detail === undefined ? text : text + separator + error.detail[language];
  return respond(
    errorEnvelope(code, msg, error.code, requestId),
    errorHeaders(error.code, error.retryAfterSeconds),
  );
}

interface Envelope {
  readonly code: number;
  readonly msg: string;
  readonly data?: object;
  readonly error?: string;
  readonly request_id: string;
}

function respond(envelope: Envelope, more: Readonly<Record<string, string>> = {}): APIGatewayProxyResult {
  return {
    statusCode: envelope.code,
    headers: { ...headers, ...more },
    body: JSON.stringify(envelope),
  };
}
