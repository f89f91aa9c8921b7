import { once } from 'node:events';
import {
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { request as requestFrom } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { push as pushEvent, userDataEvent } from '../../../local/wechat/push.ts';
import { startWechatSimulator, type WechatSimulator } from '../../../local/wechat/simulator.ts';
import { runCommand } from '../../fixtures/operator-command.ts';
import { portToKeep, type StartedRun, startRun } from '../../fixtures/started-run.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** What `npm start` needs of the repository, and what a test may change. */
const sources = ['bin', 'functions', 'lib', 'local', 'package.json', 'cdk.json'];

const appid = 'wx00000000000000aa';
const secret = 's'.repeat(32);
const push = { token: 'TheTokenOfThePush', encodingAesKey: 'kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR' };

let folder: string;
let wechat: WechatSimulator;
let run: StartedRun;
/** Where phones reach it. */
let reached: string;
/** Called with each line. */
let look = (): void => {};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dev-loop-'));
  for (const source of sources) cpSync(join(root, source), join(folder, source), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  wechat = await startWechatSimulator({ apps: { [appid]: secret } });
  run = await startRun(
    {
      INSPECT: 'login',
      WECHAT_APPID: appid,
      WECHAT_SECRET: secret,
      WECHAT_API_BASE: wechat.url,
      WECHAT_PUSH_TOKEN: push.token,
      WECHAT_ENCODING_AES_KEY: push.encodingAesKey,
      CONTENT_CHECK: 'nicknames',
      HOST: '127.0.0.2',
      PORT: portToKeep(),
    },
    { args: ['--watch'], root: folder, onLine: () => look() },
  );
  reached = run.url.replace('127.0.0.1', '127.0.0.2');
});
afterAll(async () => {
  await run.end();
  await wechat.close();
  rmSync(folder, { recursive: true });
});

/**
 * Saves a file, and waits until all of these lines are printed, in whatever order. It is written in one step, and never
 * shorter than before: two steps would be two saves on a busy machine.
 */
async function save(file: string, change: (text: string) => string, ...awaited: RegExp[]): Promise<void> {
  const from = run.lines.length;
  const printed = new Promise<void>((resolve) => {
    look = () => {
      const lines = run.lines.slice(from);
      if (awaited.every((pattern) => lines.some((line) => pattern.test(line)))) resolve();
    };
  });
  const at = join(folder, file);
  const text = change(readFileSync(at, 'utf8'));
  const opened = openSync(at, 'r+');
  writeSync(opened, text);
  closeSync(opened);
  await printed;
}

const request = async (method: string, path: string, body?: object, token?: string) => {
  const response = await fetch(run.url + path, {
    method,
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  return (await response.json()) as {
    code: number;
    msg: string;
    error?: string;
    data: Record<string, string>;
  };
};

describe('npm run dev with a mini-program of ours, for phones', () => {
  it('prints the lines of npm start, without what only the simulator can do', async () => {
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

  it('opens, with INSPECT, the inspector of one function, whose code has a map of our files', async () => {
    const opened = run.lines.filter((line) => line.includes('Debugger listening'));
    expect(opened).toHaveLength(1);
    const [, inspector = ''] = /LoginFunction.*Debugger listening on (ws:\S+)/.exec(opened[0] ?? '') ?? [];

    const socket = new WebSocket(inspector);
    await once(socket, 'open');
    const script = new Promise<{ url: string; sourceMapURL: string }>((resolve) => {
      socket.addEventListener('message', ({ data }) => {
        const { method, params } = JSON.parse(String(data));
        if (method === 'Debugger.scriptParsed' && params.url.endsWith('/index.mjs')) resolve(params);
      });
    });
    socket.send(JSON.stringify({ id: 1, method: 'Debugger.enable' }));
    const { sourceMapURL } = await script;
    socket.close();
    const map = Buffer.from(sourceMapURL.replace(/^data:[^,]*,/, ''), 'base64').toString();
    expect(JSON.parse(map).sources).toContainEqual(expect.stringMatching(/functions\/login\/log-in\.ts$/));
  });

  it('puts a saved function in place, and synthesizes again for the stack, under which users stay logged in', async () => {
    const code = wechat.issueCode({ openid: 'oBob' });
    const { token } = (await request('POST', '/member/login', { code })).data;

    await save(
      'functions/member.ts',
      (text) => `${text}\nconsole.log('saved once');\n`,
      /MemberFunction.*saved once/,
      /^Replaced member after \d+ ms$/,
    );

    await save(
      'functions/member.ts',
      (text) => `${text}\nimport './nowhere.ts';\n`,
      /nowhere/,
      /^The next save tries/,
    );
    await save(
      'functions/member.ts',
      (text) => text.replace("import './nowhere.ts';", "console.log('twice'); "),
      /MemberFunction.*twice/,
      /^Replaced member after/,
    );

    await save(
      'functions/contracts/errors.ts',
      (text) => text.replace('接口不存在', '没有这个接口'),
      /^Started again after \d+ ms$/,
    );
    expect((await request('GET', '/nowhere')).msg).toContain('没有这个接口');
    expect((await request('GET', '/member/me', undefined, token)).code).toBe(200);
  });
});
