/** Directories that do not outlive the process, even when Ctrl-C ends it. */
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A directory of our own. */
export interface TemporaryDirectory {
  readonly directory: string;
  /** Deletes the directory. */
  remove(): Promise<void>;
}

/** Makes an empty directory. */
export async function makeTemporaryDirectory(): Promise<TemporaryDirectory> {
  const directory = await mkdtemp(path.join(tmpdir(), 'local-aws-'));
  // Ctrl-C may come at any time, and nobody else knows the directory.
  const removeAtExit = (): void => rmSync(directory, { recursive: true, force: true });
  process.once('exit', removeAtExit);
  return {
    directory,
    remove: async () => {
      process.off('exit', removeAtExit);
      await rm(directory, { recursive: true, force: true });
    },
  };
}
