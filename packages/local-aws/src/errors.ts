/** Why: what goes wrong in the local run is shown to a person, who needs one sentence and no stack. */

/** A problem the person at the keyboard can fix: its message says what, where, and often how. */
export class LocalRunError extends Error {
  override readonly name = 'LocalRunError';
}

/**
 * What an unknown template feature is answered with: guessing would make the local run differ from the cloud.
 *
 * @param where the logical id, or the logical id and property path, that uses the feature
 * @param what the feature, and where it helps, what is known instead
 */
export function unsupported(where: string, what: string): LocalRunError {
  return new LocalRunError(`${where}: ${what} is not supported by the local run.`);
}

/**
 * Makes sure that a template uses nothing of a resource that the local run does not know.
 *
 * @throws LocalRunError naming the property
 */
export function refuseUnknown(where: string, properties: object, known: readonly string[]): void {
  for (const property of Object.keys(properties))
    if (!known.includes(property)) throw unsupported(`${where}.${property}`, 'this property');
}
