import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { announceRun } from '../../bin/command/local-run.ts';
import type { RunState } from '../../local/console/run-state.ts';
import { type CommandName, runCommand } from '../fixtures/operator-command.ts';

const state: RunState = {
  addresses: {
    url: 'http://127.0.0.1:3000',
    dynamodb: 'http://127.0.0.1:8000',
    table: 'users',
    secretsManager: 'http://127.0.0.1:8001',
    keyRingArn: 'arn:keys',
    wechatSecretsArn: 'arn:wechat',
    appids: ['wx1'],
    simulator: 'http://127.0.0.1:8002',
  },
  routes: [],
  foreignRoutes: [],
  presets: ['busy'],
  faults: [{ name: 'busy', callsLeft: 1, code: 'c' }, { name: 'first_host_down' }, { name: '45011' }],
  users: [
    { user_id: 'u-1', appid: 'wx1', openid: 'o', username: '小明', status: 'banned', last_login_at: 0 },
  ],
  keys: {
    current: { kid: 'k-current', published_at: 0 },
    next: { kid: 'k-next', published_at: 0 },
    retired: [{ kid: 'k-old', remove_after: 86_400 }],
  },
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'local-commands-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

const run = (name: CommandName, args: readonly string[], env: Record<string, string> = {}) =>
  runCommand(name, args, { env: { TMPDIR: folder, PORT: '', ...env } });

/** A run that answers the controls. */
async function startControls(): Promise<{ readonly asked: [string, unknown][]; readonly port: string }> {
  const asked: [string, unknown][] = [];
  const server = createServer(async (request, response) => {
    const name = (request.url ?? '').replace('/_local/', '');
    const body = await text(request);
    if (name !== 'state') asked.push([name, JSON.parse(body)]);
    const refused = name === 'token';
    response.writeHead(refused ? 400 : 200);
    response.end(
      JSON.stringify(refused ? { error: 'kind must be one of a, b.' } : { ...state, code: 'c-1' }),
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  return { asked, port: String((server.address() as AddressInfo).port) };
}

describe('npm run status', () => {
  it('shows the run that was started last, past one that was killed', async () => {
    const { port } = await startControls();
    vi.stubEnv('TMPDIR', folder);
    onTestFinished(announceRun(`http://127.0.0.1:${port}`));
    onTestFinished(announceRun('http://127.0.0.1:1'));
    vi.unstubAllEnvs();

    const { status, stdout } = await run('status', []);

    expect(status).toBe(0);
    expect(stdout).toMatch(/page and API +http:\/\/127\.0\.0\.1:3000/);
    expect(stdout).toMatch(/u-1 +banned +wx1 +小明/);
    expect(stdout).toMatch(
      /current +k-current[^\n]*\n +next +k-next[^\n]*\n +retired +k-old +until 1970-01-02/,
    );
    expect(stdout).toMatch(/busy +for one more call of c/);
  });

  it('prints JSON for machines', async () => {
    const { port } = await startControls();

    const { stdout } = await run('status', ['--json'], { PORT: port });

    expect(JSON.parse(stdout)).toMatchObject({ keys: state.keys });
  });

  it.each([
    ['without PORT', {}, 'No local run is there: start one with npm start.\n'],
    ['with PORT', { PORT: '1' }, /^No local run is at PORT 1: /],
  ])('says in a sentence that there is none, %s', async (_how, env, sentence) => {
    const { status, stderr } = await run('status', [], env);

    expect(status).toBe(1);
    expect(stderr).toMatch(sentence);
  });
});

describe('npm run wechat', () => {
  it.each<[string[], [string, unknown][]]>([
    [['fault', '45011', '--times', '3'], [['fault', { name: '45011', times: 3 }]]],
    [['fault', 'busy', '--code', 'c'], [['fault', { name: 'busy', code: 'c' }]]],
    [['fault', 'busy', '--user', 'u'], [['fault', { name: 'busy', user_id: 'u' }]]],
    [['heal'], [['clear-faults', {}]]],
    [['code', '--openid', 'o'], [['code', { openid: 'o' }]]],
    [['reset-secret', '--appid', 'wx1'], [['reset-secret', { appid: 'wx1' }]]],
    [['users'], []],
    [['faults'], []],
  ])('%j asks for what it says', async (args, expected) => {
    const { asked, port } = await startControls();

    expect(await run('wechat', args, { PORT: port })).toMatchObject({ status: 0, stderr: '' });
    expect(asked).toEqual(expected);
  });

  it('prints lines, or JSON', async () => {
    const { port } = await startControls();

    expect((await run('wechat', ['faults'], { PORT: port })).stdout).toBe(
      'busy             for one more call of c\nfirst_host_down  until it is switched off\n45011            for every call until it is switched off\n',
    );
    expect(JSON.parse((await run('wechat', ['faults', '--json'], { PORT: port })).stdout)).toEqual(
      state.faults,
    );
  });

  it.each([
    [[], 'Name a command.'],
    [['faulty'], 'There is no such command; there are fault, faults,'],
    [['fault'], 'Name a fault.'],
    [['fault', 'busy', '--times', '0'], '--times must be a whole number from 1 up.'],
    [['fault', 'busy', '--code', 'a', '--user', 'b'], '--code or --user, not both.'],
    [['users', '--times', '1'], 'users has no option --times.'],
    [['fault', 'busy', 'reset'], 'One command at a time.'],
    [['heal', '--all'], 'There is no such option or argument.'],
    [['fault', 'busyy'], 'There is no such fault; there are errcodes, and busy,'],
    [['token', 'odd'], 'Name a kind of token: expired,'],
    [['reset-secret'], 'Say whose AppSecret it is: --appid.'],
  ])('%j is refused in a sentence, with the usage, before a run is looked for', async (args, sentence) => {
    const { status, stderr } = await run('wechat', args, { PORT: '1' });

    expect(status).toBe(2);
    expect(stderr.startsWith(sentence)).toBe(true);
    expect(stderr).toContain('Usage: npm run wechat');
  });

  it('passes on why a control refuses', async () => {
    const { port } = await startControls();

    expect(await run('wechat', ['token', 'revoked'], { PORT: port })).toEqual({
      status: 1,
      stdout: '',
      stderr: 'kind must be one of a, b.\n',
    });
  });
});
