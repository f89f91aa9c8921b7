import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { keepAddress, keptAddress, takeDataDir } from '../../local/data-dir.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'data-dir-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

it('is for one run at a time', () => {
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  onTestFinished(() => void other.kill());
  writeFileSync(join(folder, 'run.lock'), String(other.pid));

  expect(() => takeDataDir(folder)).toThrow(`is in use by the run of process ${other.pid}: end that one`);
});

it('is free again after a run that was killed, and after one that ended', () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  writeFileSync(join(folder, 'run.lock'), String(pid));

  takeDataDir(folder)();

  expect(() => statSync(join(folder, 'run.lock'))).toThrow('ENOENT');
  takeDataDir(folder)();
});

it('is read by its owner alone, what was there before too', () => {
  writeFileSync(join(folder, 'dynamodb.sqlite'), '', { mode: 0o644 });
  const made = join(folder, 'made');

  onTestFinished(takeDataDir(folder));
  onTestFinished(takeDataDir(made));

  for (const file of ['dynamodb.sqlite', 'run.lock'])
    expect(statSync(join(folder, file)).mode & 0o777, file).toBe(0o600);
  expect(statSync(made).mode & 0o777).toBe(0o700);
});

it('remembers the address, and has none at first', () => {
  expect(keptAddress(folder)).toBeUndefined();
  keepAddress(folder, 'http://192.168.1.5:4711');

  expect(keptAddress(folder)).toMatchObject({ hostname: '192.168.1.5', port: '4711' });
  expect(statSync(join(folder, 'address')).mode & 0o777).toBe(0o600);
});

it('that cannot be one is refused at once', () => {
  expect(() => takeDataDir('/proc/self/nowhere')).toThrow(
    /^DATA_DIR \(\/proc\/self\/nowhere\) cannot keep data: /,
  );
});
