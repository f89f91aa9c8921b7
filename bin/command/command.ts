/** What all commands have in common: options, `--help`, exit status, and one sentence for what goes wrong. */
import { realpathSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { SettingsError } from '../../lib/settings.ts';
import { CommandError, UsageError } from './errors.ts';
import { type Given, type Options, readOptions, type Syntax } from './options.ts';
import type { Output } from './output.ts';

/** What a command uses of its process. */
export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Output;
  readonly stderr: Writable;
  readonly env: NodeJS.ProcessEnv;
}

/** Runs a command to its end; resolves to the exit status. */
export type Run = (argv: readonly string[], io: Io) => Promise<number>;

/** A command before it has its command line. */
export interface Command<T extends Options> extends Syntax<T> {
  /** Printed by `--help`, and with every mistake in the command line. */
  readonly usage: string;
  /** Does the work; resolves to the exit status. */
  readonly body: (given: Given<T>, io: Io) => Promise<number>;
}

/** Exit status after a mistake in the command line; whatever else goes wrong ends with 1. */
const MISTAKE = 2;

/** Makes a command that does not reject: whatever goes wrong is on `stderr`. */
export function defineCommand<const T extends Options>(command: Command<T>): Run {
  const { usage, body } = command;
  return async (argv, io) => {
    if (argv.includes('--help')) {
      print(io.stdout, usage);
      return 0;
    }
    try {
      return await body(readOptions(argv, command), io);
    } catch (error) {
      print(io.stderr, sentenceOf(error));
      if (!(error instanceof UsageError)) return 1;
      print(io.stderr, `\n${usage}`);
      return MISTAKE;
    }
  };
}

/** Runs a command if its file is the one that Node was started with. */
export async function runIfMain({ filename }: ImportMeta, run: Run): Promise<void> {
  // Not `import.meta.main`, which an older Node has not: the command would end with 0 and have done nothing.
  if (realpathSync(process.argv[1] ?? '.') === filename)
    process.exitCode = await run(process.argv.slice(2), process);
}

/** Writes what a machine reads. */
export function printJson(stream: Writable, value: unknown): void {
  print(stream, JSON.stringify(value, undefined, 2));
}

/** Writes a line. */
export function print(stream: Writable, line: string): void {
  stream.write(`${line}\n`);
}

/** With the error's name if the words are not our own. */
function sentenceOf(error: unknown): string {
  if (error instanceof CommandError || error instanceof SettingsError) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
