/** How a command finds the local run, and talks to it: `npm start` leaves a note of its address in the temporary directory. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CommandError } from './errors.ts';

/** One user's runs: nobody else writes here. */
const folderOf = (): string => path.join(tmpdir(), `wechat-login-runs-${process.getuid?.() ?? 'user'}`);

/**
 * Leaves the note.
 *
 * @returns takes it away again
 */
export function announceRun(url: string): () => void {
  const folder = folderOf();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const note = path.join(folder, new URL(url).port);
  writeFileSync(note, url, { mode: 0o600 });
  const remove = (): void => rmSync(note, { force: true });
  process.once('exit', remove);
  return () => {
    process.off('exit', remove);
    remove();
  };
}

/** Addresses of runs, the newest first; one that was killed may be among them. */
function announced(): readonly string[] {
  const folder = folderOf();
  const owner = statSync(folder, { throwIfNoEntry: false })?.uid;
  if (owner === undefined || owner !== (process.getuid?.() ?? owner)) return [];
  const notes = readdirSync(folder).map((name) => path.join(folder, name));
  return notes
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
    .map((note) => readFileSync(note, 'utf8'));
}

/** A run that responds. */
export interface LocalRun {
  /** Calls a control. @throws CommandError with what it says */
  call<T>(control: string, body?: object): Promise<T>;
}

/**
 * The run at `PORT`, or the one that was started last.
 *
 * @throws CommandError when there is none
 */
export async function findLocalRun({ PORT }: NodeJS.ProcessEnv): Promise<LocalRun> {
  const urls = PORT === undefined || PORT === '' ? announced() : [`http://127.0.0.1:${PORT}`];
  for (const url of urls) {
    const alive = await call(url, 'state').catch(() => undefined);
    if (alive?.ok !== true) continue;
    return {
      async call<T>(control: string, body?: object) {
        const response = await call(url, control, body);
        const said: unknown = await response.json();
        if (response.ok) return said as T;
        throw new CommandError(String((said as { error?: string }).error));
      },
    };
  }
  throw new CommandError(
    PORT === undefined || PORT === ''
      ? 'No local run is there: start one with npm start.'
      : `No local run is at PORT ${PORT}: start one with npm start, or leave PORT away to find it.`,
  );
}

function call(url: string, control: string, body?: object): Promise<Response> {
  const method = control === 'state' ? 'GET' : 'POST';
  return fetch(`${url}/_local/${control}`, {
    method,
    ...(method === 'POST' && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body ?? {}),
    }),
  });
}
