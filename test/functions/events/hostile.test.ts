/** What nobody at WeChat sends: from a seed, so that a failure comes again. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAct } from '../../../functions/events/act.ts';
import type { PushEvent } from '../../../functions/events/push-event.ts';
import { createRevocations } from '../../../functions/tokens/revocations.ts';
import { createAdministration } from '../../../functions/users/administer.ts';
import { createUserChanges } from '../../../functions/users/change.ts';
import { createUsers } from '../../../functions/users/find-or-create.ts';
import {
  type PushTarget,
  pushFormats,
  pushModes,
  pushRequest,
  userDataEvent,
} from '../../../local/wechat/push.ts';
import { createPushReceiver } from '../../fixtures/push/receiver.ts';
import { startUsersTable, type UsersTable } from '../../fixtures/users-table.ts';

const NOW = Date.UTC(2026, 0, 1);
const PROFILE = { username: '小明', sex: 1, avatar: 'https://a.example/1.png' } as const;
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

const receiver = (act?: (event: PushEvent) => Promise<void>) =>
  createPushReceiver({
    table,
    ...(act && { act }),
    credentialsFor: async (appid) => (appid === target.appid ? target : undefined),
    now: () => NOW,
  });

/** mulberry32: numbers from 0 to below `limit`. */
function randomFrom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

const pieces = [
  ...[
    '<',
    '>',
    '</xml>',
    '<xml>',
    '<![CDATA[',
    ']]>',
    '<!DOCTYPE x>',
    '&a;',
    '<Encrypt>',
    '"',
    '\\',
    '{',
    '}',
  ],
  ...['[', ',', ' ', '\0', '\ufffd', '\ud800', 'é', '0', '"Encrypt":"",', '"__proto__":1,', '%', '+', '='],
];

/** Takes something away, puts something in, doubles or cuts. */
function mutate(text: string, random: (limit: number) => number): string {
  const from = random(text.length);
  const to = from + 1 + random(8);
  const piece = pieces[random(pieces.length)] ?? '';
  const mutations = [
    text.slice(0, from) + text.slice(to),
    text.slice(0, from) + piece + text.slice(from),
    text.slice(0, from) + piece + text.slice(to),
    text.slice(0, to) + text.slice(from),
    text.slice(0, from),
    text.slice(from),
  ];
  const mutated = mutations[random(mutations.length)] ?? '';
  return mutated === text ? `${text}x` : mutated;
}

it.each(pushModes.flatMap((mode) => pushFormats.map((format) => [mode, format] as const)))(
  'nothing acts after 150 mutations of a message in %s mode as %s',
  async (mode, format) => {
    const random = randomFrom(mode.length * 31 + format.length);
    const shared = { client: table.client, tableName: table.tableName, now: () => NOW };
    const administration = createAdministration({ ...shared, revocations: createRevocations(shared) });
    const { post, counted } = receiver(createAct({ administration, onErased: () => {} }));
    const openid = `o-${mode}-${format}`;
    const { user } = await createUsers(shared).findOrCreateUser({ appid: target.appid, openid }, PROFILE);
    const message = userDataEvent(target.appid, 'user_authorization_revoke', {
      openid,
      revokeInfo: '6,8',
      createTime: NOW / 1000,
    });
    const sent = pushRequest(target, message, { mode, format, now: NOW, nonce: `1234${random(1_000_000)}` });
    expect((await post(sent)).statusCode).toBe(200);
    expect(await table.item(user.userId)).toMatchObject({ username: '', avatar: '' });
    await createUserChanges(shared).changeProfile(user.userId, PROFILE);
    const before = await allButMarks();
    const [path = '', query = ''] = sent.url.split('?');

    for (let round = 0; round < 150; round += 1) {
      const body = round % 3 === 0 ? sent.body : mutate(sent.body, random);
      const mutatedQuery = new URLSearchParams(round % 3 === 1 ? query : mutate(query, random));
      const { statusCode } = await post({ url: `${path}?${mutatedQuery}`, body });
      // A mutation of what is not signed, such as the query's openid, is still a repetition.
      expect([200, 401], `round ${round}: ${mutatedQuery}\n${body}`).toContain(statusCode);
    }

    expect(await allButMarks()).toEqual(before);
    const results = new Set(counted);
    expect(results.has('signature')).toBe(true);
    expect(counted.filter((result) => result === 'acted')).toHaveLength(1);
  },
);

/** What the table says of people, the changes of each included. */
async function allButMarks(): Promise<unknown[]> {
  const items = (await table.items()).filter(({ pk }) => !String(pk).startsWith('push#'));
  return items.sort((one, other) => String(one.pk).localeCompare(String(other.pk)));
}

/** Signed as plaintext, which covers no body: reading it must do no harm by itself. */
it.each([
  [
    'entities of entities',
    `<!DOCTYPE xml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><xml><Event>&b;</Event></xml>`,
  ],
  [
    'an entity that is a file',
    '<!DOCTYPE xml [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><Event>&a;</Event></xml>',
  ],
  ['ten thousand entities', `<xml><Event>${'&amp;'.repeat(10_000)}&a;</Event></xml>`],
  ['ten thousand levels of XML', `<xml>${'<a>'.repeat(10_000)}`],
  ['ten thousand open tags', `<xml>${'<'.repeat(60_000)}`],
  ['ten thousand open CDATAs', `<xml><Event>${'<![CDATA['.repeat(6_000)}`],
  ['spaces without end in a tag', `<xml><${' '.repeat(60_000)}`],
  ['thirty thousand levels of JSON', `${'{"a":'.repeat(10_000)}`],
  ['lists without end', `{"a":${'['.repeat(60_000)}`],
  ['quotes without end', `{"a":"${'\\"'.repeat(30_000)}`],
  ['commas and spaces without end', `{"a":1${`,${' '.repeat(99)}}`.repeat(600)}`],
  ['a body of two megabytes', `<xml><Event>${'x'.repeat(2 ** 21)}</Event></xml>`],
])('%s are refused', async (_what, body) => {
  const { post, acted } = receiver();
  const { url } = pushRequest(target, {}, { now: NOW });

  expect([401, 413]).toContain((await post({ url, body })).statusCode);
  expect(acted).toEqual([]);
});

it("a user's text cannot pass for an event, even where it leaves its CDATA", async () => {
  const { post, acted } = receiver();
  const event = '<MsgType>event</MsgType><Event>user_authorization_cancellation</Event><OpenID>o1</OpenID>';
  const message = {
    MsgType: 'text',
    Content: `]]></Content>${event}<Content><![CDATA[`,
    CreateTime: NOW / 1000,
  };

  expect((await post(pushRequest(target, message, { mode: 'safe', now: NOW }))).statusCode).toBe(401);
  expect(acted).toEqual([]);
});
