/** What a command that looks for faults looks at, what it can find, and how it says so. */
import { print, printJson } from './command.ts';
import { CommandError } from './errors.ts';
import { type Output, painter } from './output.ts';

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

/** What a check found. */
interface Finding {
  readonly name: string;
  readonly result: 'ok' | 'look at' | 'problem';
  readonly text: string;
}

/** Says what checks find, one after the other. */
export interface Report {
  /** Looks; resolves to whether there is no problem. */
  add(check: Check): Promise<boolean>;
  /** Ends with a sentence; as JSON the findings are printed now. */
  end(sentence: string): void;
}

const STYLES = { ok: 'good', 'look at': 'odd', problem: 'bad' } as const;

export function createReport(stdout: Output, asJson = false): Report {
  const paint = painter(stdout);
  const findings: Finding[] = [];
  return {
    async add(check) {
      const finding = await carryOut(check);
      const { name, result, text } = finding;
      findings.push(finding);
      if (!asJson) print(stdout, `${paint(STYLES[result], result.padEnd(8))} ${name}: ${text}`);
      return result !== 'problem';
    },
    end(sentence) {
      if (asJson) printJson(stdout, findings);
      else print(stdout, `\n${sentence}`);
    },
  };
}

async function carryOut({ name, look }: Check): Promise<Finding> {
  try {
    return { name, result: 'ok', text: await look() };
  } catch (error) {
    if (!(error instanceof Problem || error instanceof Remark)) throw error;
    return { name, result: error instanceof Remark ? 'look at' : 'problem', text: error.message };
  }
}
