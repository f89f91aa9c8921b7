/** What an operator may read of an error. */
import { DomainError } from '../errors/domain-error.ts';
import type { LogFields } from './logger.ts';

/**
 * A domain error's own words, and of foreign errors their class and where they were thrown. Their messages are left
 * out, because they can quote a request, a response or a secret.
 */
export function describeError(error: unknown): LogFields {
  if (!(error instanceof DomainError)) return { cause: nameOf(error), stack: framesOf(error) };
  return {
    ...error.fields,
    reason: error.reason,
    ...(error.cause !== undefined && { cause: nameOf(error.cause) }),
    ...(error.code === 'internal' && { stack: framesOf(error.cause) }),
  };
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

function framesOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return error.stack
    ?.split('\n')
    .filter((line) => line.startsWith('    at '))
    .join('\n');
}
