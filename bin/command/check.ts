/** What a command that looks for faults looks at, what it can find, and how it says so. */
import type { Writable } from 'node:stream';
import { print } from './command.ts';
import { CommandError } from './errors.ts';

/** A check that did not find what it should; the message says what is wrong and what to do. */
export class Problem extends CommandError {
  override readonly name: string = 'Problem';
}

/** Nothing fails by it, but a person should know; the message says why. */
export class Remark extends Error {
  override readonly name = 'Remark';
}

/** One line of a report. */
export interface Check {
  readonly name: string;
  /**
   * Says in a few words what it found.
   *
   * @throws Problem, Remark
   */
  readonly look: () => Promise<string>;
}

/** Prints a line; resolves to whether there is no problem. */
export async function report({ name, look }: Check, stdout: Writable): Promise<boolean> {
  try {
    print(stdout, `ok       ${name}: ${await look()}`);
    return true;
  } catch (error) {
    if (!(error instanceof Problem || error instanceof Remark)) throw error;
    print(stdout, `${error instanceof Remark ? 'look at ' : 'problem '} ${name}: ${error.message}`);
    return error instanceof Remark;
  }
}
