import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { readVariables } from '../../../bin/start/options.ts';
import type { LocalService } from '../../../local/service.ts';
import { startSharedStack } from '../../fixtures/local-service.ts';
import { portToKeep, startRun } from '../../fixtures/started-run.ts';

describe('DATA_DIR', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'restarts-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
  });

  it('keeps tokens good over a restart on any free port, for one run at a time, for its owner alone', async () => {
    const DATA_DIR = join(folder, 'data');
    const start = async (PORT: string): Promise<LocalService> => {
      const { port, dataDir } = readVariables({ DATA_DIR, PORT });
      const service = await startSharedStack({ port, dataDir });
      onTestFinished(service.close);
      return service;
    };
    const first = await start(portToKeep());
    const login = await fetch(`${first.url}/member/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"code":"demo-restart"}',
    });
    const { data } = (await login.json()) as { data: { token: string } };
    await expect(startRun({ DATA_DIR })).rejects.toThrow(
      /^DATA_DIR .* is in use by the run of process \d+: /m,
    );
    for (const file of readdirSync(DATA_DIR))
      expect(statSync(join(DATA_DIR, file)).mode & 0o077, file).toBe(0);
    await first.close();

    const second = await start('0');

    expect(second.url).toBe(first.url);
    const me = await fetch(`${second.url}/member/me`, { headers: { authorization: `Bearer ${data.token}` } });
    expect(me.status).toBe(200);
  });
});
