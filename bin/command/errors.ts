/** Why: what goes wrong in a command is shown to a person, who needs one sentence and no stack. */

/** A problem the person at the keyboard can act on; its message says all of it and nothing confidential. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** Says what went wrong, and with its name if the words are not our own, and lets the process end with status 1. */
export function endWith(error: unknown): void {
  const foreign = error instanceof Error && !(error instanceof CommandError) ? `${error.name}: ` : '';
  console.error(foreign + (error instanceof Error ? error.message : String(error)));
  process.exitCode = 1;
}
