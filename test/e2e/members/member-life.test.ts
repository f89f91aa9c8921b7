/** The life of a member, from the first silent login to the erasure, and what is left of it. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, describe, expect, inject, it } from 'vitest';
import { closingIndex, openidIndex } from '../../../functions/contracts/table.ts';
import { push, userDataEvent, verificationUrl } from '../../../local/wechat/push.ts';
import { localIdentity } from '../../fixtures/users-table.ts';
import {
  breakWechat,
  call,
  expectCleanLogs,
  get,
  healWechat,
  keepSecret,
  newOpenid,
  post,
  send,
  tapPhoneButton,
  wxLogin,
} from '../service.ts';

const RISKY = '特3456书yuuo莞6543李zxcz蒜7782法fgnv级';

afterEach(healWechat);
afterAll(expectCleanLogs);

/** Somebody with a name, a picture and a number that nobody else has. */
function newPerson() {
  const random = randomBytes(4).readUInt32BE();
  return {
    openid: newOpenid(),
    unionid: newOpenid(),
    nickname: keepSecret(`小明${random}`),
    avatar: keepSecret(`https://a.example/${random}.png`),
    phone: keepSecret(`138${String(random).padStart(10, '0').slice(-8)}`),
  };
}
type Person = ReturnType<typeof newPerson>;

const logIn = async ({ openid, unionid }: Person, more: object = {}) =>
  post('/member/login', { code: await wxLogin({ openid, unionid }), ...more });

const [{ appid, push: pushSecrets }] = inject('miniPrograms');
const target = {
  url: `${inject('baseUrl')}/wechat/events/${appid}`,
  appid,
  token: pushSecrets?.token ?? '',
  encodingAesKey: pushSecrets?.encodingAesKey ?? '',
};
type Event = Parameters<typeof userDataEvent>[1];
const tell = (event: Event, openid: string, revokeInfo?: string) =>
  push(
    target,
    userDataEvent(appid, event, {
      openid,
      createTime: Math.floor(Date.now() / 1000),
      ...(revokeInfo !== undefined && { revokeInfo }),
    }),
    { mode: 'safe' },
  );

/** Every item of the table, and what its indexes show, as one text each. */
async function wholeTable(): Promise<string[]> {
  const client = new DynamoDBClient({ endpoint: inject('dynamodbEndpoint'), ...localIdentity });
  const pages = [
    { ConsistentRead: true },
    ...[openidIndex, closingIndex].map(({ name }) => ({ IndexName: name })),
  ];
  const items: string[] = [];
  for (const page of pages) {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new ScanCommand({ TableName: inject('usersTable'), ...page }),
    );
    expect(LastEvaluatedKey).toBeUndefined();
    items.push(...Items.map((item) => JSON.stringify(item)));
  }
  client.destroy();
  return items;
}

/** A stream or a replica would keep copies of what was erased. */
function expectNoCopies(): void {
  const file = join(inject('assembly'), 'WechatLogin-dev.template.json');
  const { Resources } = JSON.parse(readFileSync(file, 'utf8'));
  const tables = Object.values<{ Type: string; Properties: { Replicas: unknown[] } }>(Resources).filter(
    ({ Type }) => Type === 'AWS::DynamoDB::GlobalTable',
  );
  expect(
    tables.map(({ Properties }) => [Properties.Replicas.length, 'StreamSpecification' in Properties]),
  ).toEqual([[1, false]]);
  expect(JSON.stringify(Resources)).not.toContain('KinesisStreamSpecification');
}

describe('a member', () => {
  it('comes, changes, leaves, and comes back as somebody new, with nothing left of the first life', async () => {
    const person = newPerson();
    const { openid, nickname, avatar, phone } = person;

    const first = (await logIn(person)).body.data;
    expect(first).toMatchObject({ is_new: true, username: '', avatar: '' });

    const changed = await send('PUT', '/member/me', first.token, { nickname: ` ${nickname}`, avatar });
    expect(changed.body.data).toMatchObject({
      user_id: first.user_id,
      username: nickname,
      avatar,
      phone: null,
    });

    const code = await tapPhoneButton({ openid, phone });
    const masked = `+86 138******${phone.slice(-2)}`;
    for (const _ of ['first', 'lost response'])
      expect((await send('POST', '/member/phone', first.token, { code })).body.data).toMatchObject({
        phone: masked,
        username: nickname,
      });
    const profile = (await get('/member/me', first.token)).body.data;
    expect(profile).toMatchObject({ username: nickname, phone: masked });
    expect(Date.parse(profile.created_at)).toBeLessThanOrEqual(Date.parse(profile.last_login_at));
    expect(String(await wholeTable())).toContain(phone);

    await send('POST', '/member/logout', first.token, { all: true });
    expect((await get('/member/me', first.token)).body.error).toBe('token_revoked');
    const second = (await logIn(person)).body.data;
    expect(second).toMatchObject({ user_id: first.user_id, is_new: false, username: nickname });

    expect(await tell('user_authorization_revoke', openid, '8,19')).toMatchObject({
      body: 'success',
      tries: 1,
    });
    expect((await get('/member/me', second.token)).body.data).toMatchObject({
      username: '',
      avatar,
      phone: null,
    });

    const refreshed = (await send('POST', '/member/refresh', second.token)).body.data;
    expect((await send('DELETE', '/member/me', second.token)).body.data).toEqual({ erased: true });
    for (const token of [second.token, refreshed.token]) {
      expect((await get('/member/me', token)).body.error).toBe('token_revoked');
      expect((await send('DELETE', '/member/me', token)).body.error).toBe('token_revoked');
    }

    const items = await wholeTable();
    const left = String(items);
    const output = readFileSync(inject('logFile'), 'utf8');
    for (const name of ['Login', 'Member', 'Account', 'Authorizer'])
      expect(output).toMatch(new RegExp(`^${name}\\w* \\{`, 'm'));
    const naming = items.filter((item) => item.includes(first.user_id));
    expect(naming).toEqual([expect.stringContaining(`"pk":{"S":"changes#${first.user_id}"}`)]);
    expectNoCopies();
    for (const [what, secret] of Object.entries({ ...person, masked })) {
      expect(left.includes(secret), `the table still holds the ${what}`).toBe(false);
      expect(output.includes(secret), `the logs hold the ${what}`).toBe(false);
    }

    const again = (await logIn(person)).body.data;
    expect(again).toMatchObject({ is_new: true, username: '', avatar: '' });
    expect(again.user_id).not.toBe(first.user_id);
  });

  it('is told by name what cannot be kept, and keeps what was there', async () => {
    const person = newPerson();
    const { token } = (await logIn(person, { nickname: person.nickname })).body.data;

    const refused = await send('PUT', '/member/me', token, { nickname: '微信用户', avatar: person.avatar });

    expect(refused.body).toMatchObject({
      code: 400,
      error: 'invalid_request',
      msg: expect.stringContaining('nickname'),
    });
    expect((await get('/member/me', token)).body.data).toMatchObject({
      username: person.nickname,
      avatar: '',
    });
    const cleared = await call('/member/me', {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'nickname=&avatar=undefined',
    });
    expect(cleared.body.data).toMatchObject({ username: '', avatar: '' });
  });

  it('binds no number with the code of somebody else, and unbinds the own one', async () => {
    const [alice, bob] = [newPerson(), newPerson()];
    const { token } = (await logIn(bob)).body.data;
    const stolen = await tapPhoneButton(alice);

    expect((await send('POST', '/member/phone', token, { code: stolen })).body).toMatchObject({
      code: 401,
      error: 'phone_code_invalid',
    });
    expect((await send('POST', '/member/phone', token, {})).body.error).toBe('missing_code');

    const own = await tapPhoneButton(bob);
    expect((await send('POST', '/member/phone', token, { code: own })).status).toBe(200);
    expect((await send('DELETE', '/member/phone', token)).body.data.phone).toBeNull();
    expect((await send('POST', '/member/phone', token, { code: own })).body.error).toBe('phone_code_invalid');
    expect(String(await wholeTable())).not.toContain(bob.phone);
  });

  it('binds one number with a code that arrives twice at once', async () => {
    const person = newPerson();
    const { token } = (await logIn(person)).body.data;
    const code = await tapPhoneButton(person);

    const answers = await Promise.all([1, 2, 3].map(() => send('POST', '/member/phone', token, { code })));

    expect(answers.map(({ body }) => body.data?.phone)).toEqual(
      Array(3).fill(`+86 138******${person.phone.slice(-2)}`),
    );
  });

  it('takes no risky nickname: a change is refused, a login leaves it out', async () => {
    const person = newPerson();
    const { token, username } = (await logIn(person, { nickname: RISKY })).body.data;
    expect(username).toBe('');

    expect((await send('PUT', '/member/me', token, { nickname: RISKY })).body).toMatchObject({
      code: 422,
      error: 'content_rejected',
    });
    await breakWechat({ route: 'msg_sec_check', fault: 'errcode', errcode: 61010 });
    expect((await send('PUT', '/member/me', token, { nickname: person.nickname })).body).toMatchObject({
      code: 503,
      error: 'wechat_unavailable',
    });
    expect((await get('/member/me', token)).body.data.username).toBe('');
    expect((await logIn(person, { nickname: person.nickname })).body.data.username).toBe(person.nickname);
  });
});

describe("WeChat's message push", () => {
  it('is verified by what it sent', async () => {
    const response = await fetch(verificationUrl(target, '4375120948345356249'));

    expect([response.status, await response.text()]).toEqual([200, '4375120948345356249']);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
  });

  it('erases whoever cancels their account at WeChat, and nobody who came after', async () => {
    const person = newPerson();
    const { user_id: userId, token } = (await logIn(person)).body.data;
    const event = { openid: person.openid, createTime: Math.floor(Date.now() / 1000) - 3600 };
    const late = userDataEvent(appid, 'user_authorization_cancellation', event);

    expect(await push(target, late)).toMatchObject({ body: 'success' });
    expect((await get('/member/me', token)).status).toBe(200);
    expect(await tell('user_authorization_cancellation', person.openid)).toMatchObject({ body: 'success' });
    expect((await get('/member/me', token)).body.error).toBe('token_revoked');
    expect((await logIn(person)).body.data.user_id).not.toBe(userId);
  });

  it('empties a profile that WeChat has found to be risky', async () => {
    const person = newPerson();
    const { nickname, avatar, openid } = person;
    const { token } = (await logIn(person, { nickname, avatar, sex: 1 })).body.data;

    await tell('user_info_modified', openid);

    expect((await get('/member/me', token)).body.data).toMatchObject({ username: '', avatar: '', sex: 1 });
  });

  it.each(['wrong_signature', 'old', 'other_key', 'other_appid'] as const)(
    'changes nothing with %s',
    async (fault) => {
      const person = newPerson();
      const { token } = (await logIn(person)).body.data;
      const message = userDataEvent(appid, 'user_authorization_cancellation', {
        openid: person.openid,
        createTime: Math.floor(Date.now() / 1000) + 60,
      });

      const { status, tries } = await push(target, message, { mode: 'safe', fault });

      expect([status, tries]).toEqual([401, 3]);
      expect((await get('/member/me', token)).status).toBe(200);
    },
  );

  it('is refused for a mini-program that nobody serves', async () => {
    for (const other of ['wx00000000000000ff', 'constructor']) {
      const url = `${inject('baseUrl')}/wechat/events/${other}`;
      const response = await fetch(verificationUrl({ ...target, url, appid: other }, '1'));
      expect(response.status, other).toBe(401);
    }
  });
});
