/** Errors shown to the person at the keyboard: one sentence, no stack. */

/** A problem the person at the keyboard can fix: its message says what, where, and often how. */
export class LocalRunError extends Error {
  override readonly name = 'LocalRunError';
}

/**
 * The error for an unknown template feature: guessing would make the local run differ from the cloud.
 *
 * @param where the logical id, or the logical id and property path, that uses the feature
 * @param what the feature, and where it helps, what is known instead
 */
export function unsupported(where: string, what: string): LocalRunError {
  return new LocalRunError(`${where}: ${what} is not supported by the local run.`);
}
