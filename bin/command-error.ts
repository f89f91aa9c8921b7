/** Why: what goes wrong in a command is shown to a person, who needs one sentence and no stack. */

/** A problem the person at the keyboard can act on; its message says all of it and nothing confidential. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}
