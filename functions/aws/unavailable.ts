/** Turns trouble with an AWS service into our `unavailable`, stripped of the data that SDK errors carry. */
import { DomainError } from '../errors/domain-error.ts';

/** Errors of the service that mean we sent something no retry can repair. */
const ourMistakes = new Set(['ValidationException', 'SerializationException']);

/**
 * Wraps what an SDK call threw: time-outs, broken connections and responses, throttling, missing permissions, tables or
 * credentials become {@link DomainError} `unavailable`; our own mistakes, and errors of ours, come back as they are.
 *
 * The SDK's error itself is not kept as the cause: it holds items, responses and excerpts of them.
 */
export function asUnavailable(error: unknown): unknown {
  if (!(error instanceof Error) || ourMistakes.has(error.name)) return error;
  // The SDK marks every error of an exchange with `$metadata`; errors thrown before a request is sent have none.
  if (!('$metadata' in error) && error.name !== 'CredentialsProviderError') return error;
  // Only the service's own words are safe to repeat: a JSON parser, for one, quotes what it could not read.
  const words =
    '$fault' in error ? error.message : 'code' in error ? String(error.code) : 'no usable response';
  const cause = new Error(words);
  cause.name = error.name;
  return new DomainError('unavailable', { cause, reason: `AWS: ${error.name}: ${words}` });
}

/** The result of an SDK call, with its failures wrapped by {@link asUnavailable}. */
export async function answered<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw asUnavailable(error);
  }
}
