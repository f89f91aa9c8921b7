import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** What `npm start` needs of the repository, and what a test may change. */
const sources = ['bin', 'functions', 'lib', 'local', 'package.json', 'cdk.json'];

let folder: string;
let child: ChildProcess;
const lines: string[] = [];
const waiting: (() => void)[] = [];
let url: string;
let inspector: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dev-loop-'));
  for (const source of sources) cpSync(join(root, source), join(folder, source), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const started = spawn(process.execPath, ['bin/start.ts', '--watch'], {
    cwd: folder,
    env: { ...process.env, INSPECT: 'login', PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child = started;
  createInterface({ input: started.stdout }).on('line', (line) => {
    lines.push(line);
    for (const look of waiting.splice(0)) look();
  });
  [, inspector = ''] = await printed(/LoginFunction.*Debugger listening on (ws:\S+)/);
  [, url = ''] = await printed(/^listening on (.+)$/);
});
afterAll(async () => {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill();
    await once(child, 'exit');
  }
  rmSync(folder, { recursive: true });
});

/** The next line that matches, from here on; what came before it is done with. */
async function printed(pattern: RegExp): Promise<RegExpExecArray> {
  for (;;) {
    const at = lines.findIndex((line) => pattern.test(line));
    const match = pattern.exec(lines[at] ?? '');
    if (match !== null) {
      lines.splice(0, at + 1);
      return match;
    }
    await new Promise<void>((resolve) => waiting.push(resolve));
  }
}

function edit(file: string, change: (text: string) => string): void {
  const at = join(folder, file);
  writeFileSync(at, change(readFileSync(at, 'utf8')));
}

describe('npm run dev', () => {
  it('opens, with INSPECT, the inspector of one function, whose code has a map of our files', async () => {
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
    expect(lines.filter((line) => line.includes('Debugger listening'))).toEqual([]);
  });

  it('puts a saved function in place, and synthesizes again for the stack, under which users stay logged in', async () => {
    const login = await fetch(`${url}/member/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code: 'demo-dev' }),
    });
    const { data } = (await login.json()) as { data: { token: string } };

    edit('functions/member.ts', (text) => `${text}\nconsole.log('saved once');\n`);
    await printed(/MemberFunction.*saved once/);
    await printed(/^Replaced member after \d+ ms$/);

    edit('functions/member.ts', (text) => `${text}\nimport './nowhere.ts';\n`);
    await printed(/nowhere/);
    edit('functions/member.ts', (text) => text.replace("import './nowhere.ts';", "console.log('twice');"));
    await printed(/MemberFunction.*twice/);
    await printed(/^Replaced member after/);

    edit('functions/contracts/errors.ts', (text) => text.replace('接口不存在', '没有这个接口'));
    await printed(/^Started again after \d+ ms$/);
    expect(await (await fetch(`${url}/nowhere`)).json()).toMatchObject({
      msg: expect.stringContaining('没有这个接口'),
    });
    const me = await fetch(`${url}/member/me`, { headers: { authorization: `Bearer ${data.token}` } });
    expect(me.status).toBe(200);
  });
});
