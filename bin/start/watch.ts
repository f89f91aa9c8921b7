/** What `npm run dev` adds to `npm start`: whatever is saved is in place a moment later. */
import { watch } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunningBundle } from './bundles.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What the template is made from: a change of it needs another synthesis. */
const OF_STACK = /^(lib|functions\/contracts)\//;

/** An editor writes a file in several steps. */
const SETTLE_MS = 30;

export interface Reactions {
  /** The bundles of the run as it is now. */
  bundles(): readonly RunningBundle[];
  /** Puts a function's new bundle in place. */
  replace(logicalId: string): Promise<void>;
  /** Synthesizes again, and starts what is new. */
  restart(): Promise<void>;
  /** Says what was done, or what went wrong. */
  report(line: string): void;
}

/** Watches until the process ends, with one reaction at a time. */
export function watchSources(reactions: Reactions): void {
  const saved = new Set<string>();
  const broken = new Set<string>();
  let reacting = false;
  const settle = async (): Promise<void> => {
    if (reacting) return;
    reacting = true;
    while (saved.size > 0) {
      const files = [...saved];
      saved.clear();
      await react(files, broken, reactions);
    }
    reacting = false;
  };
  for (const folder of ['lib', 'functions'])
    watch(path.join(root, folder), { recursive: true }, (_, file) => {
      if (!file?.endsWith('.ts')) return;
      saved.add(path.join(folder, file));
      setTimeout(() => void settle(), SETTLE_MS);
    });
}

/** @param broken functions whose last bundle could not be built: any file may be what they miss */
async function react(files: readonly string[], broken: Set<string>, reactions: Reactions): Promise<void> {
  const startedAt = performance.now();
  const attempt = async (done: string, work: () => Promise<void>): Promise<boolean> => {
    try {
      await work();
      reactions.report(`${done} after ${Math.round(performance.now() - startedAt)} ms`);
      return true;
    } catch (error) {
      reactions.report(`${error instanceof Error ? error.message : error}\nThe next save tries again.`);
      return false;
    }
  };
  if (broken.has('stack') || files.some((file) => OF_STACK.test(file))) {
    broken.clear();
    if (!(await attempt('Started again', reactions.restart))) broken.add('stack');
    return;
  }
  for (const { name, logicalId, build, ...bundle } of reactions.bundles()) {
    if (!broken.has(name) && !bundle.files().some((file) => files.includes(file))) continue;
    const replaced = await attempt(`Replaced ${name}`, async () => {
      build();
      await reactions.replace(logicalId);
    });
    if (replaced) broken.delete(name);
    else broken.add(name);
  }
}
