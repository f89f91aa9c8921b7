import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { DomainError } from '../../../functions/errors/domain-error.ts';
import type { PushCredentials } from '../../../functions/events/events-route.ts';
import {
  type PushOptions,
  type PushTarget,
  pushRequest,
  userDataEvent,
  verificationUrl,
} from '../../../local/wechat/push.ts';
import { createPushReceiver, gatewayEvent } from '../../fixtures/push/receiver.ts';
import { demo, page } from '../../fixtures/push/vectors.ts';
import { startUsersTable, type UsersTable } from '../../fixtures/users-table.ts';

const NOW = Date.UTC(2026, 0, 1);
const SECONDS = NOW / 1000;
const OPENID = 'oaKk343WOktAaT2ygsX138BGblrg';

const target: PushTarget = {
  url: '/wechat/events/wx0123456789abcdef',
  appid: 'wx0123456789abcdef',
  token: 'TheTokenOfThePush',
  encodingAesKey: 'kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR',
};

let table: UsersTable;
beforeAll(async () => {
  table = await startUsersTable();
});
afterAll(() => table.stop());
afterEach(() => {
  vi.useRealTimers();
});

function receiverOf(
  credentials: Readonly<Record<string, PushCredentials>> = { [target.appid]: target },
  options: Partial<Parameters<typeof createPushReceiver>[0]> = {},
) {
  return createPushReceiver({
    table,
    credentialsFor: async (appid) => credentials[appid],
    now: () => NOW,
    ...options,
  });
}

let users = 0;
/** A cancellation that no other test has sent. */
const cancellation = (openid = `o-${users++}`) =>
  userDataEvent(target.appid, 'user_authorization_cancellation', { openid, createTime: SECONDS });

const request = (options: PushOptions = {}, message = cancellation()) =>
  pushRequest(target, message, { now: NOW, ...options });

/** The same request with parts of its query changed, or taken away. */
function withQuery(
  { url, body }: { url: string; body: string },
  changes: Record<string, string | undefined>,
) {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) searchParams.delete(name);
    else searchParams.set(name, value);
  }
  return { url: `${pathname}?${searchParams}`, body };
}

const success = { statusCode: 200, body: 'success' };

describe("WeChat's own examples", () => {
  const at = (timestamp: string) =>
    receiverOf({ [page.appid]: page }, { now: () => Number(timestamp) * 1000 });
  const url = `/wechat/events/${page.appid}`;

  it('verify the URL with the plain echostr', async () => {
    const { echostr, ...query } = page.verification;
    const { get, counted } = at(query.timestamp);

    const response = await get(`${url}?${new URLSearchParams({ ...query, echostr })}`);

    expect(response).toMatchObject({ statusCode: 200, body: echostr });
    expect(response.headers).toMatchObject({
      'Content-Type': 'text/plain; charset=utf-8',
      'X-Content-Type-Options': 'nosniff',
    });
    expect(counted).toEqual(['verified']);
  });

  it('are confirmed in plaintext', async () => {
    const { body, ...query } = page.plain;
    const { post, counted } = at(query.timestamp);

    expect(await post({ url: `${url}?${new URLSearchParams(query)}`, body })).toMatchObject(success);
    expect(counted).toEqual(['unknown']);
  });

  it('are confirmed in safe mode, by the signature that covers the body alone', async () => {
    const { timestamp, nonce, signature, msgSignature, encrypt } = page.safe;
    const { post, counted, lines } = at(timestamp);
    const body = JSON.stringify({ ToUserName: 'gh_97417a04a28d', Encrypt: encrypt });
    const query = { signature, timestamp, nonce, openid: 'o', encrypt_type: 'aes' };
    const send = (msg_signature: string) =>
      post({ url: `${url}?${new URLSearchParams({ ...query, msg_signature })}`, body });

    expect(await send(msgSignature)).toMatchObject(success);
    expect((await send(signature)).statusCode).toBe(401);
    expect(counted).toEqual(['unknown', 'signature']);
    expect(lines[0]).toMatchObject({ push: 'encrypted', push_event: 'unknown', push_result: 'unknown' });
  });

  it('are confirmed in compatibility mode, as XML', async () => {
    const { timestamp, nonce, signature, msgSignature: msg_signature, encrypt } = demo;
    const { post, counted } = receiverOf({ [demo.appid]: demo }, { now: () => Number(timestamp) * 1000 });
    const query = new URLSearchParams({ signature, timestamp, nonce, encrypt_type: 'aes', msg_signature });
    const body = `<xml><MsgType><![CDATA[text]]></MsgType><Encrypt><![CDATA[\n${encrypt}\n]]></Encrypt></xml>`;

    expect(await post({ url: `/wechat/events/${demo.appid}?${query}`, body })).toMatchObject(success);
    expect(counted).toEqual(['unknown']);
  });
});

describe('a verification of the URL', () => {
  it('gives back a plus that API Gateway took for a space', async () => {
    const { get } = receiverOf();
    const url = verificationUrl(target, 'PLUS', { now: NOW }).replace('PLUS', 'a+b/c==');

    expect(await get(url)).toMatchObject({ statusCode: 200, body: 'a+b/c==' });
  });

  it('may be repeated, but its signature is good for nothing else', async () => {
    const { get, post, acted, counted } = receiverOf();
    const url = verificationUrl(target, '1', { now: NOW });
    expect(await get(url)).toMatchObject({ statusCode: 200, body: '1' });

    expect(await get(url)).toMatchObject({ statusCode: 200, body: '1' });
    expect((await get(url.replace('echostr=1', 'echostr=2'))).statusCode).toBe(401);
    expect((await post({ url, body: JSON.stringify(cancellation()) })).statusCode).toBe(401);

    expect(acted).toEqual([]);
    expect(counted).toEqual(['verified', 'verified', 'replayed', 'replayed']);
  });

  it('is refused without an echostr, and with one that is not printable', async () => {
    const { get } = receiverOf();

    expect((await get(verificationUrl(target, '', { now: NOW }))).statusCode).toBe(401);
    expect((await get(verificationUrl(target, 'é', { now: NOW }))).statusCode).toBe(401);
  });
});

describe('a message', () => {
  it('acts once however often it comes, signed anew and in whatever mode', async () => {
    const { post, acted, counted } = receiverOf();
    const message = cancellation();

    for (const options of [{ mode: 'safe', format: 'json' }, { mode: 'safe' }, {}] as const) {
      const again = request(options, message);
      expect(await post(again)).toMatchObject(success);
      expect(await post(again)).toMatchObject(success);
    }

    expect(acted).toMatchObject([{ name: 'user_authorization_cancellation', openid: message.OpenID }]);
    expect(counted).toEqual(['acted', ...Array(5).fill('repeated')]);
  });

  it('acts beside another that differs in the last digit of a 64-bit id', async () => {
    const { post, acted } = receiverOf();
    const message = JSON.stringify(cancellation());
    const { url } = request();
    const { url: otherUrl } = request();
    const body = (id: string) => message.replace('{', `{"MsgId":${id},`);

    await post({ url, body: body('6054768590064713728') });
    await post({ url: otherUrl, body: body('6054768590064713729') });

    expect(acted).toHaveLength(2);
  });

  it('has its encrypted part decide, whatever stands beside it', async () => {
    const { post, acted } = receiverOf();
    const { url, body } = request({ mode: 'compatible', format: 'json' }, cancellation('o-inside'));

    const response = await post({ url, body: body.replace('"OpenID":"o-inside"', '"OpenID":"o-outside"') });

    expect(response).toMatchObject(success);
    expect(acted).toMatchObject([{ openid: 'o-inside' }]);
  });

  it.each([{ encrypt_type: 'raw' }, { encrypt_type: undefined }, { signature: undefined }])(
    'is checked by its body, not by what the query says of it: %o',
    async (changes) => {
      const { post, acted } = receiverOf();

      expect(await post(withQuery(request({ mode: 'safe' }), changes))).toMatchObject(success);
      expect(acted).toHaveLength(1);
    },
  );

  it('with an encrypted part demands the signature over it, even when the plain one is right', async () => {
    const { post, acted, counted } = receiverOf();
    const plain = { encrypt_type: 'raw', msg_signature: undefined };
    const sent = request({ mode: 'compatible', format: 'json' });
    const emptied = { ...sent, body: sent.body.replace(/"Encrypt":"[^"]*"/, '"Encrypt":null') };

    expect((await post(withQuery(sent, plain))).statusCode).toBe(401);
    expect((await post(withQuery(emptied, plain))).statusCode).toBe(401);
    expect((await post(emptied)).statusCode).toBe(401);
    expect(counted).toEqual(['unsigned', 'unsigned', 'signature']);
    expect(acted).toEqual([]);
  });

  it('acts in plaintext, where an EncodingAESKey is filled in too', async () => {
    const { post, acted, lines } = receiverOf();

    expect(await post(request())).toMatchObject(success);
    expect(acted).toHaveLength(1);
    expect(lines).toMatchObject([
      { push: 'plaintext', push_event: 'user_authorization_cancellation', push_result: 'acted' },
    ]);
  });

  it('cannot borrow the plain signature that went along with another one', async () => {
    for (const mode of ['plain', 'compatible', 'safe'] as const) {
      const { post, acted, counted } = receiverOf();
      const sent = request({ mode, format: 'json' });
      await post(sent);

      const forged = {
        ...withQuery(sent, { msg_signature: undefined }),
        body: JSON.stringify(cancellation()),
      };

      expect((await post(forged)).statusCode).toBe(401);
      expect(counted).toEqual(['acted', 'replayed']);
      expect(acted).toHaveLength(1);
    }
  });

  it('that is encrypted needs no plain signature of its own', async () => {
    const { post, acted } = receiverOf();
    const nonce = '2718281828';
    await post(request({ nonce }));

    expect(await post(request({ nonce, mode: 'safe' }))).toMatchObject(success);
    expect(acted).toHaveLength(2);
  });

  it('cannot be signed by the digits of another, cut elsewhere', async () => {
    const { post, counted } = receiverOf();
    const sent = request({ nonce: '1000000000' });
    const moved = { nonce: '100000000', timestamp: `0${SECONDS}` };

    expect((await post(withQuery(sent, moved))).statusCode).toBe(401);
    expect(counted).toEqual(['unsigned']);
  });

  it('is tried again when the action failed, and then acts', async () => {
    let failures = 1;
    const acted: string[] = [];
    const { post } = receiverOf(undefined, {
      act: async ({ openid }) => {
        if (failures-- > 0) throw new DomainError('unavailable');
        acted.push(openid);
      },
    });
    const sent = request({}, cancellation('o-failed'));

    expect((await post(sent)).statusCode).toBe(503);
    expect(await post(sent)).toMatchObject(success);
    expect(acted).toEqual(['o-failed']);
  });

  it('is answered in time when nothing comes back', async () => {
    vi.useFakeTimers();
    const { post } = receiverOf(undefined, { credentialsFor: () => new Promise(() => {}) });
    const response = post(request());

    await vi.advanceTimersByTimeAsync(3_000);

    expect((await response).statusCode).toBe(503);
  });

  it('of two megabytes is not read', async () => {
    const { post, acted } = receiverOf();
    const { url } = request();

    expect((await post({ url, body: JSON.stringify({ a: 'x'.repeat(2 ** 21) }) })).statusCode).toBe(413);
    expect(acted).toEqual([]);
  });

  it('is read when API Gateway took it for binary', async () => {
    const { handler, acted } = receiverOf();
    const { url, body } = request();
    const event = gatewayEvent('POST', url, Buffer.from(body).toString('base64'));

    expect(await handler({ ...event, isBase64Encoded: true })).toMatchObject(success);
    expect(acted).toHaveLength(1);
  });
});

describe('a refusal', () => {
  const safe = { mode: 'safe', format: 'json' } as const;
  const other = { ...target, appid: 'wxfedcba9876543210', url: '/wechat/events/wxfedcba9876543210' };
  const notUtf8 = { ...gatewayEvent('POST', request().url, '/w=='), isBase64Encoded: true };

  it.each([
    ['not_served', () => pushRequest(other, cancellation(), { now: NOW })],
    ['unsigned', () => request({ fault: 'no_signature' })],
    ['unsigned', () => request({ ...safe, fault: 'no_signature' })],
    ['unsigned', () => withQuery(request(), { nonce: undefined })],
    ['unsigned', () => withQuery(request(), { timestamp: 'now' })],
    ['unsigned', () => ({ url: `${request().url}&signature=0`, body: '{}' })],
    ['unsigned', () => withQuery(request(), { signature: '0'.repeat(2_000) })],
    ['signature', () => request({ fault: 'wrong_signature' })],
    ['signature', () => request({ ...safe, fault: 'wrong_signature' })],
    ['signature', () => withQuery(request(), { signature: '' })],
    ['signature', () => withQuery(request(), { nonce: '2' })],
    ['timestamp', () => request({ fault: 'old' })],
    ['timestamp', () => request({ now: NOW - 301_000 })],
    ['timestamp', () => request({ now: NOW + 301_000 })],
    ['timestamp', () => request({ ...safe, fault: 'old' })],
    ['unreadable', () => ({ ...request(), body: '' })],
    ['unreadable', () => ({ ...request(), body: 'ok' })],
    ['undecryptable', () => request({ ...safe, fault: 'other_key' })],
    ['undecryptable', () => request({ ...safe, fault: 'other_appid' })],
  ] as const)('says the same to everybody, and why (%s) to the operator alone', async (why, sent) => {
    const { post, acted, counted, lines } = receiverOf();
    const { handler, get } = receiverOf({});
    const nowhere = await get('/wechat/events/');

    const response = await post(sent());

    expect(response).toEqual(nowhere);
    expect(response.statusCode).toBe(401);
    expect(await handler(notUtf8)).toEqual(nowhere);
    expect(acted).toEqual([]);
    expect(counted).toEqual([why]);
    expect(lines).toMatchObject([{ outcome: 'unauthorized', reason: `push message refused: ${why}` }]);
  });

  it('is what an encrypted message gets where no EncodingAESKey is filled in', async () => {
    const { post, counted } = receiverOf({ [target.appid]: { token: target.token } });

    expect((await post(request(safe))).statusCode).toBe(401);
    expect(counted).toEqual(['no_key']);
  });

  it('comes five minutes before and after the time, not earlier', async () => {
    const { post } = receiverOf();

    expect(await post(request({ now: NOW - 300_000 }))).toMatchObject(success);
    expect(await post(request({ now: NOW + 300_000 }))).toMatchObject(success);
  });
});

it('logs neither openid, Token, key, signature nor message', async () => {
  const { post, get, lines } = receiverOf();
  const message = cancellation(OPENID);
  await post(request({}, message));
  await post(request({ mode: 'safe', format: 'json' }, message));
  await post(request({ fault: 'wrong_signature' }, message));
  await get(verificationUrl(target, 'TheEchostr', { now: NOW }));

  expect(lines).toHaveLength(4);
  for (const secret of [OPENID, target.token, target.encodingAesKey, 'TheEchostr', 'gh_'])
    expect(JSON.stringify(lines)).not.toContain(secret);
  expect(JSON.stringify(lines)).not.toMatch(/[0-9a-f]{40}/);
});
