/** Errors shown to the operator: one sentence, no stack. */

/** A problem the person at the keyboard can act on; its message says all of it and nothing confidential. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
}

/** A mistake in the command line; its message names the option and the rule, never the value, which may be a secret. */
export class UsageError extends CommandError {
  override readonly name = 'UsageError';
}
