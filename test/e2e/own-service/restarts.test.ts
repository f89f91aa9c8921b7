import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startRun } from '../../fixtures/started-run.ts';

describe('DATA_DIR', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'restarts-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
  });

  it('keeps tokens good over a restart on any free port, for one run at a time, for its owner alone', async () => {
    const variables = { DATA_DIR: join(folder, 'data'), PORT: '0' };
    const first = await startRun(variables);
    onTestFinished(first.end);
    const login = await fetch(`${first.url}/member/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"code":"demo-restart"}',
    });
    const { data } = (await login.json()) as { data: { token: string } };
    await expect(startRun(variables)).rejects.toThrow(/^DATA_DIR .* is in use by the run of process \d+: /m);
    for (const file of readdirSync(variables.DATA_DIR))
      expect(statSync(join(variables.DATA_DIR, file)).mode & 0o077, file).toBe(0);
    await first.end();

    const second = await startRun(variables);
    onTestFinished(second.end);

    expect(second.url).toBe(first.url);
    const me = await fetch(`${second.url}/member/me`, { headers: { authorization: `Bearer ${data.token}` } });
    expect(me.status).toBe(200);
  });
});

describe('npm start with a mini-program of ours', () => {
  it('prints the same lines, without what only the simulator can do', async () => {
    const run = await startRun({
      WECHAT_APPID: 'wx00000000000000aa',
      WECHAT_SECRET: 's'.repeat(32),
      WECHAT_API_BASE: 'http://127.0.0.1:1',
    });
    onTestFinished(run.end);
    const printed = run.lines.join('\n');

    expect(printed).toContain('Logins of wx00000000000000aa go to http://127.0.0.1:1');
    expect(printed).toMatch(/TOKEN=\$\(curl -s \S+\/member\/login .*"code":"<code of wx\.login>"/);
    expect(printed).toContain('npm run status');
    expect(printed).not.toMatch(/simulator|demo-|wechat -- fault/);
    const state = await (await fetch(`${run.url}/_local/state`)).json();
    expect(state).toMatchObject({ presets: [], faults: [] });
    expect(state).not.toHaveProperty('addresses.simulator');
  });
});
