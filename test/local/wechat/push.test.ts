import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decrypt } from '../../../functions/events/decrypt.ts';
import {
  type PushTarget,
  push,
  pushFaults,
  pushFormats,
  pushModes,
  pushRequest,
  userDataEvent,
  verificationUrl,
} from '../../../local/wechat/push.ts';
import { startWechatSimulator, type WechatSimulator } from '../../../local/wechat/simulator.ts';
import { createPushReceiver, gatewayEvent } from '../../fixtures/push/receiver.ts';
import { demo, page, xmlReply } from '../../fixtures/push/vectors.ts';
import { startUsersTable, type UsersTable } from '../../fixtures/users-table.ts';

const queryOf = ({ url }: { url: string }) =>
  Object.fromEntries(new URL(url, 'http://localhost').searchParams);

describe("WeChat's own examples are what is sent", () => {
  const target = { ...page, url: '/' };
  const at = ({ timestamp, nonce }: { timestamp: string; nonce: string }) => ({
    now: Number(timestamp) * 1000,
    nonce,
  });

  it('when a URL is verified', () => {
    const { echostr, signature, timestamp, nonce } = page.verification;

    const url = verificationUrl(target, echostr, at(page.verification));

    expect(queryOf({ url })).toEqual({ signature, timestamp, nonce, echostr });
  });

  it('in plaintext', () => {
    const { body, signature, timestamp, nonce } = page.plain;

    const sent = pushRequest(target, JSON.parse(body), { ...at(page.plain), format: 'json' });

    expect(queryOf(sent)).toEqual({ signature, timestamp, nonce });
    expect(sent.body).toBe(body);
  });

  it.each([page.safe, page.reply])('in safe mode', ({ message, random, encrypt, msgSignature, ...when }) => {
    const sent = pushRequest(target, message, { ...at(when), mode: 'safe', format: 'json', random });

    expect(JSON.parse(sent.body)).toMatchObject({ Encrypt: encrypt });
    expect(queryOf(sent)).toMatchObject({ encrypt_type: 'aes', msg_signature: msgSignature });
  });

  it('in safe mode, as XML', () => {
    const { message, random, encrypt, msgSignature } = xmlReply;

    const sent = pushRequest({ ...xmlReply, url: '/' }, message, { ...at(xmlReply), mode: 'safe', random });

    expect(sent.body).toContain(`<Encrypt><![CDATA[${encrypt}]]></Encrypt>`);
    expect(queryOf(sent)).toMatchObject({ msg_signature: msgSignature });
  });

  it('with a key whose last bits belong to no byte', () => {
    const sent = pushRequest({ ...demo, url: '/' }, { MsgType: 'text' }, { mode: 'safe', format: 'json' });

    expect(decrypt(JSON.parse(sent.body).Encrypt, demo.encodingAesKey, demo.appid)).toBe(
      '{"MsgType":"text"}',
    );
  });
});

describe('push', () => {
  const appid = 'wx0123456789abcdef';
  let table: UsersTable;
  let receiver: ReturnType<typeof createPushReceiver>;
  let target: PushTarget;
  let requests = 0;
  let failures = 0;

  const server = createServer(async (request, response) => {
    requests += 1;
    const { method, url = '' } = request;
    const { statusCode, headers, body } = await receiver.handler(
      gatewayEvent(method === 'GET' ? 'GET' : 'POST', url, await text(request)),
    );
    const status = failures-- > 0 ? 503 : statusCode;
    response.writeHead(status, headers as Record<string, string>).end(body);
  });

  beforeAll(async () => {
    table = await startUsersTable();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    target = {
      url: `http://127.0.0.1:${port}/wechat/events/${appid}`,
      appid,
      token: 'TheTokenOfThePush',
      encodingAesKey: 'kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR',
    };
    receiver = createPushReceiver({ table, credentialsFor: async () => target, now: Date.now });
  });
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
    await table.stop();
  });

  const createTime = Math.floor(Date.now() / 1000);
  const combinations = pushModes.flatMap((mode) => pushFormats.map((format) => ({ mode, format })));

  it('verifies the URL', async () => {
    const response = await fetch(verificationUrl(target, '4375120948345356249'));

    expect(await response.text()).toBe('4375120948345356249');
  });

  it.each(combinations)('sends every event in $mode mode as $format', async (how) => {
    const openid = `o-${how.mode}-${how.format}`;
    receiver.acted.length = 0;
    const names = [
      'user_info_modified',
      'user_authorization_revoke',
      'user_authorization_cancellation',
    ] as const;

    for (const name of names) {
      const event = userDataEvent(appid, name, { openid, createTime, revokeInfo: '6' });
      expect(await push(target, event, how)).toEqual({ status: 200, body: 'success', tries: 1 });
    }

    expect(receiver.acted).toMatchObject(names.map((name) => ({ name, openid, createdAt: createTime })));
  });

  it.each(combinations)("takes the form of WeChat's samples in $mode mode as $format", async (how) => {
    const openid = `o-sample-${how.mode}-${how.format}`;
    const event = userDataEvent(appid, 'user_authorization_revoke', { openid, createTime, revokeInfo: ' 8' });

    expect(await push(target, event, { ...how, fault: 'sample' })).toMatchObject({ body: 'success' });
    expect(receiver.acted.at(-1)).toMatchObject({ openid, revoked: ['phone'] });
  });

  it('is confirmed where there is nothing to do', async () => {
    receiver.acted.length = 0;
    const punished = { MsgType: 'event', Event: 'wxa_punish_event', appid, CreateTime: createTime };
    const nobody = userDataEvent(appid, 'user_info_modified', { createTime });

    for (const message of [punished, nobody])
      expect(await push(target, message)).toMatchObject({ status: 200, body: 'success' });
    expect(receiver.acted).toEqual([]);
  });

  describe('on order over HTTP', () => {
    let wechat: WechatSimulator;
    beforeAll(async () => {
      wechat = await startWechatSimulator({ apps: { [appid]: 'secret' }, pushTargets: () => [target] });
    });
    afterAll(() => wechat.close());

    const order = async (body: object) => {
      const response = await fetch(`${wechat.url}/__sim/push`, {
        method: 'POST',
        body: JSON.stringify(body),
      });
      return { code: response.status, ...((await response.json()) as object) };
    };

    it('sends the event about whom the openid or a code names, in the mode and format of the order', async () => {
      receiver.acted.length = 0;
      const code = wechat.issueCode({ openid: 'o-of-the-code' });
      const revoke = { event: 'user_authorization_revoke', revokeInfo: '8' };

      for (const how of [...combinations, {}])
        expect(await order({ ...revoke, openid: `o-${JSON.stringify(how)}`, ...how })).toEqual({
          ...{ code: 200, status: 200, body: 'success', tries: 1 },
        });
      await order({ ...revoke, code, appid });
      expect(await order({ ...revoke, code, fault: 'wrong_signature' })).toMatchObject({
        status: 401,
        tries: 3,
      });

      expect(receiver.acted).toHaveLength(combinations.length + 2);
      expect(receiver.acted.at(-1)).toMatchObject({ openid: 'o-of-the-code', revoked: ['phone'] });
    });

    it.each([
      [{}, 'event'],
      [{ event: 'user_info_changed' }, 'event'],
      [{ event: 'user_info_modified', mode: 'secret' }, 'mode'],
      [{ event: 'user_info_modified', format: 'yaml' }, 'format'],
      [{ event: 'user_info_modified', fault: 'late' }, 'fault'],
      [{ event: 'user_info_modified', appid: 'wx1' }, 'appid'],
      [{ event: 'user_info_modified', openId: 'o' }, 'openId'],
    ])('refuses %j and names %s', async (body, name) => {
      expect(await order(body)).toMatchObject({ code: 400, error: expect.stringContaining(name) });
    });
  });

  it.each(pushFaults)('shows what comes of the fault %s', async (fault) => {
    const openid = `o-${fault}`;
    const event = userDataEvent(appid, 'user_authorization_cancellation', { openid, createTime });

    const { status } = await push(target, event, { mode: 'safe', format: 'json', fault });

    const harmless = ['content_type', 'sample', 'encrypt_type_raw'].includes(fault);
    expect(status).toBe(harmless ? 200 : 401);
    expect(receiver.acted.some((acted) => acted.openid === openid)).toBe(harmless);
  });

  it('comes again until it is confirmed, three times at most, and acts once', async () => {
    const event = (openid: string) =>
      userDataEvent(appid, 'user_authorization_cancellation', { openid, createTime });
    receiver.acted.length = 0;
    failures = 2;
    expect(await push(target, event('o-third'))).toEqual({ status: 200, body: 'success', tries: 3 });
    expect(receiver.acted).toHaveLength(1);

    failures = 9;
    requests = 0;
    expect(await push(target, event('o-never'))).toMatchObject({ status: 503, tries: 3 });
    expect(requests).toBe(3);
  });
});
