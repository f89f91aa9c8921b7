/** Reads every command line the same way, and never repeats what it could not read: it may be a secret. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { UsageError } from './errors.ts';

/** What a command takes, in the words of Node's `parseArgs`; `--help` comes with it. */
export type Options = NonNullable<ParseArgsConfig['options']>;

/** What was given: options by name, and words that belong to no option. */
export interface Given<T extends Options> {
  readonly values: ReturnType<typeof parseArgs<{ options: T }>>['values'];
  readonly positionals: readonly string[];
}

/** How a command is called. */
export interface Syntax<T extends Options> {
  readonly options: T;
  /** Whether words that belong to no option mean something. Default: no */
  readonly allowPositionals?: boolean;
  /** What to say about an argument that means nothing. Default: that there is none like it */
  readonly unknownArgument?: string;
}

/** @throws UsageError */
export function readOptions<const T extends Options>(args: readonly string[], syntax: Syntax<T>): Given<T> {
  const {
    options,
    allowPositionals = false,
    unknownArgument = 'There is no such option or argument.',
  } = syntax;
  try {
    return parseArgs({ args: [...args], options, allowPositionals });
  } catch (error) {
    switch (error instanceof Error && 'code' in error ? error.code : undefined) {
      case 'ERR_PARSE_ARGS_UNKNOWN_OPTION':
      case 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL':
        throw new UsageError(unknownArgument);
      case 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE':
        throw new UsageError('An option lacks its value, or has one too many.');
      default:
        throw error;
    }
  }
}
