/** The directory that keeps a run's data: one run at a time, for its owner's eyes, with the address that its tokens name. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { LocalRunError } from 'local-aws';

const LOCK = 'run.lock';
const ADDRESS = 'address';

/**
 * Makes the directory and keeps other runs out of it.
 *
 * @returns lets them in again
 * @throws LocalRunError when it cannot be made or written, or another run has it
 */
export function takeDataDir(directory: string): () => void {
  const lock = path.join(directory, LOCK);
  try {
    makeDirectory(path.resolve(directory));
    for (const entry of readdirSync(directory, { withFileTypes: true }))
      if (entry.isFile()) chmodSync(path.join(directory, entry.name), 0o600);
    if (!locked(lock)) {
      const owner = Number(readFileSync(lock, 'utf8'));
      if (owner !== process.pid && isRunning(owner))
        throw new LocalRunError(
          `DATA_DIR (${directory}) is in use by the run of process ${owner}: end that one, or name another directory (if it is no npm start, delete ${lock}).`,
        );
      // Whoever had it was killed.
      writeFileSync(lock, String(process.pid), { mode: 0o600 });
    }
  } catch (cause) {
    if (cause instanceof LocalRunError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LocalRunError(`DATA_DIR (${directory}) cannot keep data: ${why}.`, { cause });
  }
  const release = (): void => rmSync(lock, { force: true });
  process.once('exit', release);
  return () => {
    process.off('exit', release);
    release();
  };
}

/** The address of the run before, which is the issuer of the tokens that were handed out; undefined when there was none. */
export function keptAddress(directory: string): URL | undefined {
  try {
    return new URL(readFileSync(path.join(directory, ADDRESS), 'utf8'));
  } catch {
    return undefined;
  }
}

export function keepAddress(directory: string, url: string): void {
  writeFileSync(path.join(directory, ADDRESS), url, { mode: 0o600 });
}

/** Step by step: Node's recursive way never ends where a folder takes no folders, as in /proc. */
function makeDirectory(directory: string): void {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return;
  makeDirectory(path.dirname(directory));
  mkdirSync(directory, { mode: 0o700 });
}

/** Whether the lock is ours now; false when there is one already. */
function locked(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function isRunning(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
