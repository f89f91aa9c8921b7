/** How AWS is called here: what it refuses to say is a problem of the list, not the end of it. */
import { Problem } from '../command/check.ts';

/** @throws Problem saying what could not be looked at; these calls carry nothing confidential */
export async function lookedUp<T>(what: string, response: Promise<T>): Promise<T> {
  try {
    return await response;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new Problem(`${what} cannot be looked at (${error.name}: ${error.message})`, { cause: error });
  }
}
