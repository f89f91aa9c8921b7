/** A process with the CPU or the memory of a Lambda function: Linux control groups (version 1), which root may write. */
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Has a control group while something runs.
 *
 * @param settings by file name, `cpu.cfs_quota_us` for one; its first word is the controller
 * @param work gets the file to write a process id to
 */
export async function withControlGroup<T>(
  settings: Readonly<Record<string, number>>,
  work: (processes: string) => Promise<T>,
): Promise<T> {
  const [controller = ''] = Object.keys(settings)[0]?.split('.') ?? [];
  const group = path.join('/sys/fs/cgroup', controller, `wechat-login-bench-${process.pid}`);
  mkdirSync(group);
  try {
    for (const [file, value] of Object.entries(settings))
      writeFileSync(path.join(group, file), String(value));
    return await work(path.join(group, 'cgroup.procs'));
  } finally {
    rmdirSync(group);
  }
}
