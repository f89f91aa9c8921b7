import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { request as requestFrom } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { readVariables } from '../../../bin/start/options.ts';
import type { LocalService } from '../../../local/service.ts';
import { push as pushEvent, userDataEvent } from '../../../local/wechat/push.ts';
import { startWechatSimulator, type WechatSimulator } from '../../../local/wechat/simulator.ts';
import { startSharedStack } from '../../fixtures/local-service.ts';
import { runCommand } from '../../fixtures/operator-command.ts';
import { type StartedRun, startRun } from '../../fixtures/started-run.ts';

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
    // No system gives away a port below 32768, so nobody takes this one between the two runs.
    const PORT = String(20_000 + Math.floor(Math.random() * 12_000));
    const first = await start(PORT);
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

describe('npm start with a mini-program of ours, for phones', () => {
  const appid = 'wx00000000000000aa';
  const secret = 's'.repeat(32);
  const push = { token: 'TheTokenOfThePush', encodingAesKey: 'kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR' };
  let wechat: WechatSimulator;
  let run: StartedRun;
  /** Where phones reach it. */
  let reached: string;
  beforeAll(async () => {
    wechat = await startWechatSimulator({ apps: { [appid]: secret } });
    run = await startRun({
      WECHAT_APPID: appid,
      WECHAT_SECRET: secret,
      WECHAT_API_BASE: wechat.url,
      WECHAT_PUSH_TOKEN: push.token,
      WECHAT_ENCODING_AES_KEY: push.encodingAesKey,
      CONTENT_CHECK: 'nicknames',
      HOST: '127.0.0.2',
    });
    reached = run.url.replace('127.0.0.1', '127.0.0.2');
  });
  afterAll(async () => {
    await run.end();
    await wechat.close();
  });

  const request = async (method: string, path: string, body?: object, token?: string) => {
    const response = await fetch(run.url + path, {
      method,
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    return (await response.json()) as { code: number; error?: string; data: Record<string, string> };
  };

  it('prints the same lines, without what only the simulator can do', async () => {
    const printed = run.lines.join('\n');

    expect(printed).toContain(`Logins of ${appid} go to ${wechat.url}`);
    expect(printed).toMatch(/TOKEN=\$\(curl -s \S+\/member\/login .*"code":"<code of wx\.login>"/);
    expect(printed).toContain('npm run status');
    expect(printed).not.toMatch(/simulator|demo-|wechat -- fault/);
    for (const hidden of [secret, push.token, push.encodingAesKey]) expect(printed).not.toContain(hidden);
    const state = await (await fetch(`${run.url}/_local/state`)).json();
    expect(state).toMatchObject({ presets: [], faults: [] });
    expect(state).not.toHaveProperty('addresses.simulator');
  });

  it('has WeChat check nicknames, and takes the messages of its push', async () => {
    const code = wechat.issueCode({ openid: 'oAlice' });
    const { token = '' } = (await request('POST', '/member/login', { code })).data;
    const risky = { nickname: '特3456书yuuo莞6543李zxcz蒜7782法fgnv级' };
    expect((await request('PUT', '/member/me', risky, token)).error).toBe('content_rejected');

    const target = { ...push, appid, url: `${run.url}/wechat/events/${appid}` };
    const createTime = Math.floor(Date.now() / 1000);
    const cancelled = userDataEvent(appid, 'user_authorization_cancellation', {
      openid: 'oAlice',
      createTime,
    });
    for (const mode of ['safe', 'plain'] as const)
      expect(await pushEvent(target, cancelled, { mode })).toMatchObject({ status: 200, body: 'success' });
    expect((await request('GET', '/member/me', undefined, token)).error).toBe('token_revoked');
  });

  it.each([
    ['TheTokenOfThePush', 0, `ok       message push of ${appid}: http`],
    ['AnotherToken', 1, `problem  message push of ${appid}: http`],
  ])(
    'the doctor, told the Token %s, says whether the URL of the push is verified',
    async (token, status, line) => {
      const finished = await runCommand('doctor', ['--url', reached, '--appid', appid], {
        env: { WECHAT_PUSH_TOKEN: token },
      });

      expect(finished.stdout).toContain(line);
      expect(finished.stdout).not.toContain(token);
      expect(finished.status).toBe(status);
    },
  );

  it('serves them at the address of HOST, which its documents name and its doctor line too', async () => {
    const health = await fetch(`${reached}/health`);
    const documents = await fetch(`${reached}/.well-known/openid-configuration`);

    expect(health.status).toBe(200);
    expect(await documents.json()).toMatchObject({
      issuer: reached,
      jwks_uri: `${reached}/.well-known/jwks.json`,
    });
    expect(run.lines).toContain(`  npm run doctor -- --url ${reached}`);
    expect(run.lines.join('\n')).toContain(
      `Warning: everybody in the network of ${reached} can reach this API`,
    );
  });

  it.each(['/', '/_local/state', '/_local/page.js'])('keeps %s from them', async (path) => {
    const response = await fetch(reached + path, { headers: { accept: 'text/html' } });

    expect(response.status).toBeGreaterThanOrEqual(403);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  });

  it('keeps the controls from whoever only says that it is this machine', async () => {
    const { host, port } = new URL(run.url);
    const from = { host: '127.0.0.2', localAddress: '127.0.0.2', port, path: '/_local/state' };

    const [answer] = await once(requestFrom({ ...from, headers: { host } }).end(), 'response');
    answer.resume();

    expect(answer.statusCode).toBe(403);
  });
});
