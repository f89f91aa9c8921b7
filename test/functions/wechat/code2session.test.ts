import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { errorCatalogue } from '../../../functions/contracts/errors.ts';
import { type Code2Session, createCode2Session } from '../../../functions/wechat/code2session.ts';
import {
  createWechatConnection,
  type WechatConnection,
  type WechatConnectionOptions,
} from '../../../functions/wechat/connection.ts';
import { WechatError } from '../../../functions/wechat/errcodes.ts';
import type { Fault } from '../../../local/wechat/faults.ts';
import { startWechatSimulator, type WechatSimulator } from '../../../local/wechat/simulator.ts';

const appid = 'wx0123456789abcdef';
const secret = 'fedcba98fedcba98fedcba98fedcba98';
/** For calls that are to end by a time-out; too short for a busy machine to be relied on for anything else. */
const HURRIED = { totalBudgetMs: 240, connectTimeoutMs: 60 };

let wechat: WechatSimulator;
interface WechatClient extends WechatConnection {
  readonly code2Session: Code2Session;
}
const openClients: WechatClient[] = [];
const openServers: (Server | TcpServer)[] = [];

beforeEach(async () => {
  wechat = await startWechatSimulator({ apps: { [appid]: secret } });
});

afterEach(async () => {
  for (const client of openClients.splice(0)) client.close();
  for (const server of openServers.splice(0)) server.close();
  await wechat.close();
});

function open(options: WechatConnectionOptions): WechatClient {
  const connection = createWechatConnection(options);
  const client = { ...connection, code2Session: createCode2Session(connection) };
  openClients.push(client);
  return client;
}

const BUDGET_MS = 60_000;
const CONNECT_MS = 30_000;

/** A client whose time does not run out on a busy machine. */
const clientFor = (...apiBases: string[]): WechatClient =>
  open({ apiBases, totalBudgetMs: BUDGET_MS, connectTimeoutMs: CONNECT_MS });

async function listen(server: Server | TcpServer): Promise<number> {
  openServers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** The budgets of what follows in a test are over when it says so; `asked` are their milliseconds. */
function holdBudgets() {
  const budget = new AbortController();
  const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(budget.signal);
  const timers = vi.spyOn(globalThis, 'setTimeout');
  onTestFinished(() => {
    timeout.mockRestore();
    timers.mockRestore();
  });
  const end = (): void => {
    budget.abort();
    for (const [act, ms] of timers.mock.calls) if (ms === BUDGET_MS) act();
  };
  return { end, asked: () => timeout.mock.calls.map(([ms]) => ms) };
}

/** A port that refuses connections. */
async function deadPort(): Promise<number> {
  const server = createTcpServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Calls, expects a WechatError, and checks what must hold for every one: nothing secret is in it. */
async function failureOf(client: WechatClient, code: string): Promise<WechatError> {
  const error = await client.code2Session({ appid, secret, code }).then(
    () => expect.unreachable('the call must fail'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof WechatError)) throw error;
  const everything = inspect(error, { depth: 10, showHidden: true, getters: true }) + String(error.stack);
  for (const needle of [secret, code, 'js_code', 'session_key"', 'sns/', '203.0.113.7'])
    expect(everything).not.toContain(needle);
  expect(error.cause).toBeUndefined();
  return error;
}

describe('code2Session', () => {
  it('gives the openid and the host, and nothing of the session_key', async () => {
    const session = await clientFor(wechat.url).code2Session({
      appid,
      secret,
      code: wechat.issueCode({ openid: 'oAlice' }),
    });

    expect(session).toEqual({ openid: 'oAlice', host: new URL(wechat.url).host });
  });

  it('gives the unionid when WeChat does', async () => {
    const code = wechat.issueCode({ openid: 'oAlice', unionid: 'uAlice' });

    expect(await clientFor(wechat.url).code2Session({ appid, secret, code })).toEqual({
      openid: 'oAlice',
      unionid: 'uAlice',
      host: new URL(wechat.url).host,
    });
  });

  it('keeps its connection for the next call', async () => {
    const client = clientFor(wechat.url);
    for (let call = 0; call < 5; call += 1) {
      await client.code2Session({ appid, secret, code: wechat.issueCode() });
    }

    expect(wechat.calls()).toEqual({ count: 5, connections: 1 });
  });

  it.each(['errcode_zero', 'legacy_expires_in', 'delay'] as const)(
    'takes %s for the success it is',
    async (fault) => {
      wechat.setFault({ fault, delayMs: 50 });

      const session = await clientFor(wechat.url).code2Session({
        appid,
        secret,
        code: wechat.issueCode({ openid: 'oAlice' }),
      });

      expect(session.openid).toBe('oAlice');
    },
  );

  it('reads the errcode "0" as success and a huge number of unknown members as nothing', async () => {
    const port = await listen(
      createServer((_, response) => {
        const unknown = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`x${index}`, [index]]));
        response.end(JSON.stringify({ errcode: '0', openid: 'oAlice', session_key: 'k', ...unknown }));
      }),
    );

    const session = await clientFor(`http://127.0.0.1:${port}`).code2Session({ appid, secret, code: 'c' });

    expect(session.openid).toBe('oAlice');
  });

  it('ignores a unionid that cannot be one', async () => {
    for (const unionid of ['', 'with space', 'line\nbreak', '联合', 'u'.repeat(129)]) {
      const code = wechat.issueCode({ openid: 'oAlice', unionid });

      const session = await clientFor(wechat.url).code2Session({ appid, secret, code });

      expect(session, JSON.stringify(unionid)).toEqual({ openid: 'oAlice', host: new URL(wechat.url).host });
    }
  });

  it('sends each parameter encoded, whatever is in it', async () => {
    const urls: string[] = [];
    const port = await listen(
      createServer((request, response) => {
        urls.push(request.url ?? '');
        response.end('{"session_key":"k","openid":"oAlice"}');
      }),
    );
    const client = clientFor(`http://127.0.0.1:${port}/relay/`);
    const codes = [
      'a&appid=x',
      ' a ',
      'a#b',
      '100%',
      '%26',
      'a+b',
      'a/b?c=d',
      '码',
      '\u{1f600}',
      'a\r\nHost: x',
      'a;b',
      '=',
      '"',
    ];

    for (const code of codes) await client.code2Session({ appid, secret: 's&c=1', code });

    expect(urls.map((url) => [...new URL(url, 'http://x').searchParams])).toEqual(
      codes.map((code) => [
        ['appid', appid],
        ['secret', 's&c=1'],
        ['js_code', code],
        ['grant_type', 'authorization_code'],
      ]),
    );
    for (const url of urls) expect(url).toMatch(/^\/relay\/sns\/jscode2session\?[\w.*%=&+-]+$/);
  });

  it('refuses to be created without a usable base URL', () => {
    for (const apiBases of [[], ['api.weixin.qq.com'], ['ftp://api.weixin.qq.com'], ['']])
      expect(() => createWechatConnection({ apiBases }), JSON.stringify(apiBases)).toThrow(TypeError);
  });
});

describe('a response as it may come in the wild', () => {
  const session = '{"session_key":"k","openid":"oAlice"}';
  const answer = (body: string, head = ''): string =>
    `HTTP/1.1 200 OK\r\n${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

  async function exchangeWith(text: string | Buffer) {
    const port = await listen(
      createTcpServer((socket) => {
        socket.on('error', () => {});
        socket.on('data', () => socket.write(text));
      }),
    );
    return clientFor(`http://127.0.0.1:${port}`);
  }

  it.each([
    ['a byte order mark', answer(`\uFEFF${session}`)],
    ['early hints before it', `HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n${answer(session)}`],
    ['an errcode that is null', answer('{"errcode":null,"errmsg":null,"session_key":"k","openid":"oAlice"}')],
    [
      'control characters in its text',
      answer('{"errmsg":"o\nk\u0001\u0000","session_key":"k","openid":"oAlice"}'),
    ],
    ['a second answer behind it', answer(session) + answer(session.replace('oAlice', 'oMallory'))],
  ])('reads a response with %s', async (_, text) => {
    const client = await exchangeWith(text);

    for (let call = 0; call < 2; call += 1)
      expect((await client.code2Session({ appid, secret, code: 'c' })).openid).toBe('oAlice');
  });

  it('reads a gzip response although nobody asked for it', async () => {
    const body = gzipSync(session);
    const head = `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${body.length}\r\n\r\n`;
    const client = await exchangeWith(Buffer.concat([Buffer.from(head), body]));

    expect((await client.code2Session({ appid, secret, code: 'c' })).openid).toBe('oAlice');
  });

  it('reads an errcode beside control characters in its text', async () => {
    const errmsg = 'code\nbeen\tused\u0001, rid: 66c69111-4157f271-729ca238';
    const client = await exchangeWith(answer(`{"errcode":40163,"errmsg":"${errmsg}"}`));

    expect(await failureOf(client, 'hush-code')).toMatchObject({
      code: 'code_used',
      fields: { wechat_rid: '66c69111-4157f271-729ca238' },
    });
  });

  it.each([
    ['100 Continue before it', `HTTP/1.1 100 Continue\r\n\r\n${answer(session)}`],
    ['lines that end with LF alone', answer(session).replaceAll('\r\n', '\n')],
    ['a length and chunks', answer(session, 'transfer-encoding: chunked\r\n')],
    ['an errcode that is null, and no openid', answer('{"errcode":null,"errmsg":"code been used"}')],
    ['a control character in the openid', answer('{"session_key":"k","openid":"oAl\u0000ice"}')],
    ['a control character behind the openid', answer('{"session_key":"k","openid":"oAlice\n"}')],
  ])('is wechat_unavailable for a response with %s', async (_, text) => {
    const client = await exchangeWith(text);

    expect((await failureOf(client, 'hush-code')).code).toBe('wechat_unavailable');
  });
});

describe("WeChat's refusal", () => {
  it.each([
    [40029, 'invalid_code', 401, undefined],
    [40163, 'code_used', 401, undefined],
    [40226, 'login_blocked', 403, undefined],
    [45011, 'rate_limited', 429, 60],
    [45009, 'rate_limited', 429, 3600],
    [40013, 'wechat_misconfigured', 503, undefined],
    [40125, 'wechat_misconfigured', 503, undefined],
    [40164, 'wechat_misconfigured', 503, undefined],
    [40243, 'wechat_misconfigured', 503, undefined],
    [50002, 'wechat_misconfigured', 503, undefined],
    [40001, 'wechat_unavailable', 503, undefined],
    [40002, 'wechat_unavailable', 503, undefined],
    [41002, 'wechat_unavailable', 503, undefined],
    [41004, 'wechat_unavailable', 503, undefined],
    [41008, 'wechat_unavailable', 503, undefined],
    [48001, 'wechat_unavailable', 503, undefined],
    [40242, 'wechat_unavailable', 503, undefined],
    [-1, 'wechat_unavailable', 503, undefined],
    [1, 'wechat_unavailable', 503, undefined],
    [9410009, 'wechat_unavailable', 503, undefined],
  ])(
    'errcode %i is %s, as number and as string, with rid and host for the log',
    async (errcode, name, status, retryAfter) => {
      for (const asString of [false, true]) {
        wechat.setFault({ fault: 'errcode', errcode, asString });

        const error = await failureOf(clientFor(wechat.url), wechat.issueCode());

        expect(error).toMatchObject({ code: name, errcode, retryAfterSeconds: retryAfter });
        expect(error.fields).toEqual({
          wechat_errcode: errcode,
          wechat_host: new URL(wechat.url).host,
          wechat_rid: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$/),
        });
        expect(error.reason).toContain(`errcode ${errcode} (`);
        expect(errorCatalogue[error.code].status).toBe(status);
      }
    },
  );

  it("of WeChat's errmsg nothing is taken but a rid", async () => {
    for (const errmsg of [
      'invalid ip 203.0.113.7',
      'x, rid: 66C69111-4157F271-729CA238',
      'x, rid: 66c69111-4157f271-729ca238-203.0.113.7',
      'x, rid: 66c69111-4157f271-729ca238\n203.0.113.7',
      'x, rid: 203.0.113.7',
      12,
      null,
      { rid: '66c69111-4157f271-729ca238' },
    ]) {
      const port = await listen(
        createServer((_, response) => void response.end(JSON.stringify({ errcode: 40164, errmsg }))),
      );

      const error = await failureOf(clientFor(`http://127.0.0.1:${port}`), 'hush-code');

      expect(error.code).toBe('wechat_misconfigured');
      expect(error.fields.wechat_rid, JSON.stringify(errmsg)).toBeUndefined();
    }
  });

  it('a risky user, an IP off the whitelist and a frozen AppSecret are told apart', async () => {
    const client = clientFor(wechat.url);
    const risky = await failureOf(client, wechat.issueCode({ risk: true }));
    wechat.setFault({ fault: 'ip_not_whitelisted', times: 1 });
    const foreign = await failureOf(client, wechat.issueCode());
    wechat.setFault({ fault: 'secret_frozen', times: 1 });
    const frozen = await failureOf(client, wechat.issueCode());

    expect([risky.code, foreign.code, frozen.code]).toEqual([
      'login_blocked',
      'wechat_misconfigured',
      'wechat_misconfigured',
    ]);
    expect(foreign.reason).toContain('whitelist');
  });
});

describe('a busy WeChat (-1)', () => {
  it('a busy WeChat (-1) is called once more', async () => {
    wechat.setFault({ fault: 'errcode', errcode: -1, times: 1 });

    const session = await clientFor(wechat.url).code2Session({
      appid,
      secret,
      code: wechat.issueCode({ openid: 'oAlice' }),
    });

    expect(session.openid).toBe('oAlice');
    expect(wechat.calls().count).toBe(2);
  });

  it('a busy WeChat (-1) is not called a third time', async () => {
    wechat.setFault({ fault: 'errcode', errcode: -1 });

    const error = await failureOf(clientFor(wechat.url), wechat.issueCode());

    expect(error).toMatchObject({ code: 'wechat_unavailable', errcode: -1 });
    expect(wechat.calls().count).toBe(2);
  });

  it('a busy WeChat (-1) that consumed the code after all is code_used', async () => {
    wechat.setFault({ fault: 'errcode', errcode: -1, consumes: true, times: 1 });

    const error = await failureOf(clientFor(wechat.url), wechat.issueCode());

    expect(error.code).toBe('code_used');
  });

  it('a busy WeChat (-1) is not called again when the budget ends before or during the pause', async () => {
    await wechat.close();
    wechat = await startWechatSimulator({ apps: { [appid]: secret }, delayMs: HURRIED.totalBudgetMs - 80 });
    wechat.setFault({ fault: 'errcode', errcode: -1 });
    const client = open({ apiBases: [wechat.url], totalBudgetMs: HURRIED.totalBudgetMs });

    const error = await failureOf(client, wechat.issueCode());

    expect(error.code).toBe('wechat_unavailable');
    expect(wechat.calls().count).toBe(1);
  });
});

describe('an answer that is none', () => {
  it.each([
    'http_502_html',
    'empty',
    'truncated',
    'reset_mid_body',
    'oversized',
    'no_openid',
    'no_session_key',
    'not_json',
    'array_body',
    'openid_number',
  ] as const satisfies Fault['fault'][])(
    'a response that is %s is wechat_unavailable, and the code is sent once',
    async (fault) => {
      wechat.setFault({ fault });
      const second = await startWechatSimulator({ apps: { [appid]: secret } });

      const error = await failureOf(clientFor(wechat.url, second.url), wechat.issueCode());

      expect(error.code).toBe('wechat_unavailable');
      expect(error.fields).toEqual({ wechat_host: new URL(wechat.url).host });
      expect(wechat.calls().count).toBe(1);
      expect(second.calls().count).toBe(0);
      await second.close();
    },
  );

  it.each(['hang', 'slow_drip'] as const)(
    'a response that never ends (%s) is given up when the budget ends',
    async (fault) => {
      wechat.setFault({ fault });
      const second = await startWechatSimulator({ apps: { [appid]: secret } });
      const client = clientFor(wechat.url, second.url);
      const { end } = holdBudgets();

      const failing = failureOf(client, wechat.issueCode());
      await expect.poll(() => wechat.calls().count, { timeout: 60_000 }).toBe(1);
      end();
      const error = await failing;

      expect(error).toMatchObject({ code: 'wechat_unavailable', reason: expect.stringContaining('budget') });
      expect(second.calls().count).toBe(0);
      await second.close();
    },
  );

  it('a broken response leaves the client usable for the next call', async () => {
    const client = clientFor(wechat.url);
    for (const fault of ['reset_mid_body', 'oversized', 'http_502_html'] as const) {
      wechat.setFault({ fault, times: 1 });
      await failureOf(client, wechat.issueCode());

      const session = await client.code2Session({ appid, secret, code: wechat.issueCode() });

      expect(session.openid, fault).toMatch(/^o/);
    }
  });

  it('no openid is taken from a broken body or beside a strange member', async () => {
    const session = { session_key: 'k', openid: 'oAlice' };
    const bodies = [
      'null',
      '1',
      '"text"',
      '[]',
      '{}',
      '{"__proto__":{"openid":"oAlice","session_key":"k"}}',
      `${JSON.stringify(session)}${JSON.stringify(session)}`,
      ...[
        '',
        'with space',
        'line\nbreak',
        '用户',
        'o\u0000',
        'o'.repeat(129),
        null,
        true,
        {},
        ['oAlice'],
      ].map((openid) => JSON.stringify({ ...session, openid })),
      ...['', null, 1, {}].map((session_key) => JSON.stringify({ ...session, session_key })),
      ...['', 'abc', 0.5, '0.5', 1e300, true, {}, [], '0x0', ' 0'].map((errcode) =>
        JSON.stringify({ ...session, errcode }),
      ),
    ];
    let body = '';
    const port = await listen(createServer((_, response) => void response.end(body)));
    const client = clientFor(`http://127.0.0.1:${port}`);

    for (body of bodies) {
      const error = await failureOf(client, 'hush-code');

      expect(error.code, body).toBe('wechat_unavailable');
      expect(error.errcode, body).toBeUndefined();
      expect(inspect(error, { depth: 10 }), body).not.toContain('oAlice');
    }
  });

  it('bytes that are not HTTP are not shown in the error', async () => {
    const port = await listen(
      createTcpServer((socket) => {
        socket.on('error', () => {});
        socket.once('data', (request) => socket.end(`HTTP/9.9 session_key" ${request}`));
      }),
    );

    const error = await failureOf(clientFor(`http://127.0.0.1:${port}`), 'hush-code');

    expect(error.reason).toMatch(/connection lost \(HTTPParserError\)/);
  });

  it('no redirect is followed', async () => {
    const port = await listen(
      createServer(
        (request, response) =>
          void response.writeHead(302, { location: `${wechat.url}${request.url}` }).end(),
      ),
    );

    const error = await failureOf(clientFor(`http://127.0.0.1:${port}`), wechat.issueCode());

    expect(error.reason).toContain('HTTP status 302');
    expect(wechat.calls().count).toBe(0);
  });
});

describe('after a host', () => {
  const hosts: readonly [string, () => Promise<string>][] = [
    ['refuses connections', async () => `http://127.0.0.1:${await deadPort()}`],
    ['has no address', async () => 'https://wechat.invalid'],
    ['does not speak TLS', async () => wechat.url.replace('http:', 'https:')],
    [
      'breaks off the TLS handshake',
      async () =>
        `https://127.0.0.1:${await listen(createTcpServer((socket) => void socket.on('error', () => {}).resetAndDestroy()))}`,
    ],
    ['has no certificate to show', async () => `https://127.0.0.1:${await listen(createTlsServer({}))}`],
  ];

  it.each(hosts)('after a host that %s the next one gets the code, once', async (_, startHost) => {
    const first = await startHost();
    const code = wechat.issueCode({ openid: 'oAlice' });

    const session = await clientFor(first, wechat.url).code2Session({ appid, secret, code });

    expect(session).toEqual({ openid: 'oAlice', host: new URL(wechat.url).host });
    expect(wechat.calls().count).toBe(1);
  });

  it('after a host that takes connections and says nothing the next one gets the code, once', async () => {
    const code = wechat.issueCode({ openid: 'oAlice' });
    const silent = createTcpServer((socket) => void socket.on('error', () => {}));
    const client = clientFor(`https://127.0.0.1:${await listen(silent)}`, wechat.url);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());

    const exchanging = client.code2Session({ appid, secret, code });
    const [socket] = await once(silent, 'connection');
    // Its ClientHello: TCP is over, and with it the limit on TCP alone.
    await once(socket, 'data');
    vi.advanceTimersByTime(CONNECT_MS);
    vi.useRealTimers();

    expect(await exchanging).toEqual({ openid: 'oAlice', host: new URL(wechat.url).host });
    expect(wechat.calls().count).toBe(1);
  });

  it('the error gives the reasons of all hosts that are down', async () => {
    const client = clientFor(`http://127.0.0.1:${await deadPort()}`, 'https://wechat.invalid');

    const error = await failureOf(client, 'hush-code');

    expect(error.code).toBe('wechat_unavailable');
    expect(error.fields).toEqual({});
    expect(error.reason).toMatch(
      /127\.0\.0\.1:\d+: no connection \(ECONNREFUSED\); wechat\.invalid: no connection/,
    );
  });

  it('the budget ends the search among many hosts that say nothing', async () => {
    const port = await listen(createTcpServer((socket) => void socket.on('error', () => {})));
    const silent = Array.from({ length: 10 }, () => `https://127.0.0.1:${port}`);

    const error = await failureOf(open({ apiBases: [...silent, wechat.url], ...HURRIED }), 'hush-code');

    expect(error.reason).toContain('budget');
    expect(error.reason?.match(/127\.0\.0\.1/g)?.length).toBeLessThan(5);
    expect(wechat.calls().count).toBe(0);
  });
});

describe('a connection opened ahead', () => {
  it('a connection opened ahead carries the first call, and exchanges nothing itself', async () => {
    const client = clientFor(wechat.url);

    await client.openConnection();
    const before = wechat.calls();
    await client.code2Session({ appid, secret, code: wechat.issueCode() });

    expect(before).toEqual({ count: 0, connections: 1 });
    expect(wechat.calls()).toEqual({ count: 1, connections: 1 });
  });

  it('opening a connection ahead never fails: the call will meet a dead or silent host', async () => {
    const silent = createTcpServer((socket) => void socket.on('error', () => {}));
    const base = `http://127.0.0.1:${await listen(silent)}`;
    const { end, asked } = holdBudgets();

    await expect(clientFor(`http://127.0.0.1:${await deadPort()}`).openConnection()).resolves.toBeUndefined();
    const opening = clientFor(base).openConnection();
    await once(silent, 'connection');
    end();
    await expect(opening).resolves.toBeUndefined();
    expect(asked()).toEqual([2_500, 2_500]);
  });
});

describe('after a pause', () => {
  it('after a pause as long as of a frozen Lambda, no connection from before is written on', async () => {
    let time = 0;
    const client = open({ apiBases: [wechat.url], now: () => time });
    const login = async () => {
      await client.code2Session({ appid, secret, code: wechat.issueCode() });
    };
    await login();
    time += 4_000;
    await login();
    const before = wechat.calls().connections;
    time += 4_001;
    await login();
    await login();

    expect(before).toBe(1);
    expect(wechat.calls()).toEqual({ count: 4, connections: 2 });
  });

  it('after the server has closed the connection, the next call opens a new one', async () => {
    const server = createServer((_, response) => {
      response.end('{"session_key":"k","openid":"oAlice"}');
    });
    server.keepAliveTimeout = 0;
    const client = clientFor(`http://127.0.0.1:${await listen(server)}`);
    await client.code2Session({ appid, secret, code: 'c' });
    server.closeAllConnections();

    const session = await client.code2Session({ appid, secret, code: 'c' });

    expect(session.openid).toBe('oAlice');
  });

  it('after the clock was set back, no connection from before is written on', async () => {
    let time = 1_000_000;
    const client = open({ apiBases: [wechat.url], now: () => time });
    await client.code2Session({ appid, secret, code: wechat.issueCode() });
    time -= 600_000;
    await client.code2Session({ appid, secret, code: wechat.issueCode() });

    expect(wechat.calls().connections).toBe(2);
  });

  it.each([
    ['before the code was used', '{"session_key":"k","openid":"oAlice"}', undefined],
    ['after the code was used', '{"errcode":40163,"errmsg":"code been used"}', 'code_used'],
  ])('when a kept connection ends %s, the code is sent once more', async (_, repeated, refusal) => {
    let calls = 0;
    const port = await listen(
      createServer(({ socket }, response) => {
        calls += 1;
        if (calls === 2) socket.resetAndDestroy();
        else response.end(calls === 1 ? '{"session_key":"k","openid":"oFirst"}' : repeated);
      }),
    );
    const client = clientFor(`http://127.0.0.1:${port}`);
    await client.code2Session({ appid, secret, code: 'c' });

    if (refusal === undefined)
      expect((await client.code2Session({ appid, secret, code: 'c' })).openid).toBe('oAlice');
    else expect((await failureOf(client, 'hush-code')).code).toBe(refusal);
    expect(calls).toBe(3);
  });

  it('when the first host went away since the last call, the second gets the code', async () => {
    const server = createServer((_, response) => {
      response.end('{"session_key":"k","openid":"oFirst"}');
    });
    const client = clientFor(`http://127.0.0.1:${await listen(server)}`, wechat.url);
    await client.code2Session({ appid, secret, code: 'c' });
    server.close();

    const session = await client.code2Session({
      appid,
      secret,
      code: wechat.issueCode({ openid: 'oAlice' }),
    });

    expect(session).toEqual({ openid: 'oAlice', host: new URL(wechat.url).host });
  });

  it('calls under way are not disturbed when idle connections are replaced', async () => {
    let time = 0;
    const client = open({ apiBases: [wechat.url], now: () => time });
    wechat.setFault({ fault: 'delay', delayMs: 200, times: 1 });
    const slow = client.code2Session({ appid, secret, code: wechat.issueCode({ openid: 'oSlow' }) });
    await expect.poll(() => wechat.calls().count, { timeout: 60_000 }).toBe(1);
    time += 60_000;
    const quick = await client.code2Session({ appid, secret, code: wechat.issueCode({ openid: 'oQuick' }) });

    expect([(await slow).openid, quick.openid]).toEqual(['oSlow', 'oQuick']);
  });
});
