/** The functions' bundles of a run, for who looks into one or saves a file of one. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createResolver, loadTemplate, readFunctions } from 'local-aws';
import { bundle } from '../../lib/compute/bundle.ts';

/** The functions of the stack. */
export const bundledFunctions = ['login', 'member', 'account', 'authorizer', 'rotation'] as const;
export type BundledFunction = (typeof bundledFunctions)[number];

/** A function's bundle in the assembly of a run. */
export interface RunningBundle {
  readonly name: BundledFunction;
  readonly logicalId: string;
  /** Files of the repository that are in it, such as `functions/login.ts`. */
  files(): readonly string[];
  /** Builds it anew, in its place. @throws Error when it cannot be built, which esbuild has written to stderr */
  build(): void;
}

/** Whether a resource is this function. */
export const isFunction = (name: BundledFunction, logicalId: string): boolean =>
  logicalId.toLowerCase().startsWith(`${name}function`);

/**
 * The bundles in a cloud assembly.
 *
 * @param inspect the function that is built for a debugger
 */
export function bundlesIn(assembly: string, inspect?: BundledFunction): readonly RunningBundle[] {
  const functions = readFunctions(createResolver(loadTemplate(assembly)), {});
  return bundledFunctions.flatMap((name) =>
    functions
      .filter(({ logicalId }) => isFunction(name, logicalId))
      .map(({ logicalId, directory }) => ({
        name,
        logicalId,
        files() {
          const map = readFileSync(path.join(directory, 'index.mjs.map'), 'utf8');
          return (JSON.parse(map) as { sources: string[] }).sources;
        },
        build: () => bundle(name, directory, name === inspect),
      })),
  );
}
