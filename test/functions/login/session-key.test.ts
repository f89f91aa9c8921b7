/**
 * WeChat's `session_key` opens what a user's phone seals, so it must be nowhere: it is looked for after logins of every
 * kind, in the table, in all that is written out, and in the responses.
 */
import { createDecipheriv } from 'node:crypto';
import fs from 'node:fs';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createHttpHandler } from '../../../functions/http/handler.ts';
import { createLogIn } from '../../../functions/login/log-in.ts';
import { measureLogins } from '../../../functions/login/login-metrics.ts';
import { createLoginRoute } from '../../../functions/login/login-route.ts';
import { createSpentCodes } from '../../../functions/login/spent-codes.ts';
import { log } from '../../../functions/telemetry/logger.ts';
import { createMetrics } from '../../../functions/telemetry/metrics.ts';
import { createRevocations } from '../../../functions/tokens/revocations.ts';
import { createAdministration } from '../../../functions/users/administer.ts';
import { createUsers } from '../../../functions/users/find-or-create.ts';
import { createCode2Session } from '../../../functions/wechat/code2session.ts';
import { encryptedDataExample } from '../../fixtures/encrypted-data.ts';
import { startUsersTable, type UsersTable } from '../../fixtures/users-table.ts';
import { connectTo } from '../wechat/token-routes.ts';

const { appid, sessionKey, iv, encryptedData, openid, unionid, nickname } = encryptedDataExample;
const session = { session_key: sessionKey, openid, unionid };
const order = { by: 'member', reason: 'a login of every kind' };

let table: UsersTable;
beforeAll(async () => {
  table = await startUsersTable();
});
afterAll(() => table.stop());

/** The login route on real parts, with a WeChat that gives these texts one after the other, and all it wrote. */
async function setUp(...wechatSays: readonly (string | object)[]) {
  let written = '';
  vi.spyOn(fs, 'writeSync').mockImplementation((_, chunk) => {
    written += String(chunk);
    return chunk.length;
  });
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      written += String(chunk);
      return true;
    });
  const texts = wechatSays.map((says) => (typeof says === 'string' ? says : JSON.stringify(says))).values();
  const { connection, close } = await connectTo((_, response) => {
    response.end(texts.next().value ?? '{"errcode":40029}');
  });
  let waited = 0;
  const shared = { client: table.client, tableName: table.tableName, now: () => Date.now() + waited };
  const sleep = async (ms: number) => {
    waited += ms;
  };
  const revocations = createRevocations({ ...shared, sleep });
  const metrics = createMetrics(log);
  const logIn = createLogIn({
    wechat: { code2Session: createCode2Session(connection) },
    appSecrets: { secretFor: async () => 'secret', renewedSecretFor: async () => 'secret' },
    users: createUsers({ ...shared, admitsName: async () => true }),
    spentCodes: createSpentCodes({ ...shared, windowSeconds: 60, sleep }),
    revocations,
    tokens: {
      prepare: () => {},
      mint: async () => ({ token: 'token', jti: 'j', expiresIn: 1, expiresAt: 1, keyAgeSeconds: 1 }),
    },
    now: shared.now,
  });
  const handler = createHttpHandler(
    { 'POST /member/login': createLoginRoute({ logIn, appids: [appid], observe: measureLogins(metrics) }) },
    log,
    metrics,
  );
  return {
    administration: createAdministration({ ...shared, revocations }),
    logIn: (body: string, type = 'application/json') =>
      handler({
        httpMethod: 'POST',
        resource: '/member/login',
        headers: { 'content-type': type },
        body,
        requestContext: { requestId: 'request' },
      } as unknown as APIGatewayProxyEvent),
    async end() {
      close();
      vi.restoreAllMocks();
      return written;
    },
  };
}

/** The name, and the value in every form that it may take on its way. */
const bytes = Buffer.from(sessionKey, 'base64');
const needles = [
  'session_key',
  sessionKey.replace('==', ''),
  encodeURIComponent(sessionKey),
  bytes.toString('base64url'),
  bytes.toString('hex'),
];

let codes = 0;
const nextCode = (): string => `0code-of-a-login-${String(++codes).padStart(15, '0')}`;
const json = (body: object) => JSON.stringify(body);

interface Kind {
  readonly says: readonly (string | object)[];
  /** Default: one login with JSON. */
  readonly bodies?: (code: string) => readonly string[];
  readonly type?: string;
  readonly before?: 'ban' | 'close';
  readonly statuses: readonly number[];
}

const kinds: Readonly<Record<string, Kind>> = {
  'a first login': { says: [session], statuses: [200] },
  'a returning one': { says: [session], statuses: [200] },
  'one with a profile': {
    says: [session],
    bodies: (code) => [json({ code, nickname: '小明', sex: 1, avatar: 'https://a.example/1.png' })],
    statuses: [200],
  },
  'one by a form': {
    says: [session],
    bodies: (code) => [new URLSearchParams({ code, nickname: '小明' }).toString()],
    type: 'application/x-www-form-urlencoded',
    statuses: [200],
  },
  'a code that arrives twice': {
    says: [session, { errcode: 40163, errmsg: `code been used ${json(session)}` }],
    bodies: (code) => [json({ code }), json({ code })],
    statuses: [200, 200],
  },
  'a code that arrives twice and is called unknown': {
    says: [session, { errcode: 40029, errmsg: `invalid code, rid: ${json(session)}` }],
    bodies: (code) => [json({ code }), json({ code })],
    statuses: [200, 200],
  },
  'a session beside an errcode': { says: [{ ...session, errcode: 45011 }], statuses: [429] },
  'a session without an openid': { says: [{ session_key: sessionKey }], statuses: [503] },
  'a session in a list': { says: [[session]], statuses: [503] },
  'a session that is cut': { says: [json(session).slice(0, -1)], statuses: [503] },
  'a session that is too long': { says: [json({ ...session, more: 'x'.repeat(2 ** 17) })], statuses: [503] },
  'the login of somebody who is banned': { says: [session], before: 'ban', statuses: [403] },
  'the login of somebody whose account is closed': { says: [session], before: 'close', statuses: [403] },
  'a login that restores an account': {
    says: [session],
    bodies: (code) => [json({ code, restore: true })],
    before: 'close',
    statuses: [200],
  },
};

it.each(Object.entries(kinds))('no session_key is left of %s', async (_what, kind) => {
  const { says, bodies = (code: string) => [json({ code })], type, before, statuses } = kind;
  const { administration, logIn, end } = await setUp(...says);
  const [user] = await administration.findByOpenid(openid);
  if (before === 'ban') await administration.ban(user?.userId ?? '', order);
  if (before === 'close') await administration.close(user?.userId ?? '', 4_000_000_000, order);

  const responses = [];
  for (const body of bodies(nextCode())) responses.push(await logIn(body, type));

  if (before === 'ban') await administration.unban(user?.userId ?? '', order);
  if (before === 'close') await administration.restore(user?.userId ?? '', order);
  const written = await end();
  expect(responses.map(({ statusCode }) => statusCode)).toEqual(statuses);
  expect(written).toContain('"route":"POST /member/login"');
  const everywhere = { table: json(await table.items()), written, responses: json(responses) };
  for (const [where, text] of Object.entries(everywhere))
    for (const needle of needles) expect(text.includes(needle), `${needle} in ${where}`).toBe(false);
});

it("what a mini-program sends along, sealed with the session_key, stays sealed: WeChat's own example", async () => {
  // Whoever had the session_key could read it.
  const cipher = createDecipheriv(
    'aes-128-cbc',
    Buffer.from(sessionKey, 'base64'),
    Buffer.from(iv, 'base64'),
  );
  const opened = cipher.update(encryptedData, 'base64', 'utf8') + cipher.final('utf8');
  expect(JSON.parse(opened)).toMatchObject({
    openId: openid,
    unionId: unionid,
    nickName: nickname,
    watermark: { appid, timestamp: encryptedDataExample.timestamp },
  });
  const { logIn, end } = await setUp({ session_key: sessionKey, openid: 'oSomebodyElse' });

  const { statusCode, body } = await logIn(json({ code: nextCode(), encryptedData, iv, rawData: '{}' }));

  const written = await end();
  expect([statusCode, JSON.parse(body).data.username]).toEqual([200, '']);
  const stored = (await table.items()).filter((item) => item.openid === 'oSomebodyElse');
  expect(stored).toHaveLength(1);
  for (const needle of [nickname, encryptedData.slice(0, 40), iv, unionid])
    expect(json(stored) + written + body).not.toContain(needle);
});
