import { describe, expect, it } from 'vitest';
import type { MemberName } from '../../../functions/events/members.ts';
import { readEvent } from '../../../functions/events/push-event.ts';
import { PushRefusal } from '../../../functions/events/push-refusal.ts';

const APPID = 'wx13974bf780d3dc89';

const read = (changes: Partial<Record<MemberName, string | undefined>> = {}) => {
  const members = {
    CreateTime: '1627359464',
    MsgType: 'event',
    Event: 'user_authorization_revoke',
    OpenID: 'oaKk343WOktAaT2ygsX138BGblrg',
    AppID: APPID,
    RevokeInfo: '8',
    ...changes,
  };
  const told = Object.entries(members).filter(
    (entry): entry is [MemberName, string] => entry[1] !== undefined,
  );
  return readEvent(new Map(told), APPID);
};

const identityOf = (changes?: Parameters<typeof read>[0]): string => {
  const event = read(changes);
  if (typeof event === 'string') throw new Error(event);
  return event.identity;
};

describe('readEvent', () => {
  it('says whom an event is about, and when it happened', () => {
    expect(read({ Event: 'user_authorization_cancellation', RevokeInfo: undefined })).toEqual({
      name: 'user_authorization_cancellation',
      appid: APPID,
      openid: 'oaKk343WOktAaT2ygsX138BGblrg',
      createdAt: 1_627_359_464,
      identity: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(read({ Event: 'user_info_modified', MsgType: 'Event', AppID: undefined })).toMatchObject({
      name: 'user_info_modified',
      appid: APPID,
    });
  });

  it.each([
    ['6', ['nickname', 'avatar']],
    ['8', ['phone']],
    ['16', ['email']],
    ['19', ['nickname']],
    ['20', ['avatar']],
    ['8,6,19', ['phone', 'nickname', 'avatar']],
    ['1, 8; 4711 x', ['phone']],
  ])('reads RevokeInfo %s', (RevokeInfo, revoked) => {
    expect(read({ RevokeInfo })).toMatchObject({ name: 'user_authorization_revoke', revoked });
  });

  it.each([
    ['what is not held here was revoked', { RevokeInfo: '1,2,301' }],
    ['what was revoked is not known', { RevokeInfo: 'constructor' }],
    ['nothing says what was revoked', { RevokeInfo: undefined }],
    ['nobody is named', { OpenID: undefined }],
    ['it is about a user of another mini-program', { AppID: 'wxfedcba9876543210' }],
  ])('has no effect when %s', (_why, changes) => {
    expect(read(changes)).toBe('no_effect');
  });

  it('does not know other events, and messages that only look like one', () => {
    expect(read({ Event: 'wxa_punish_event' })).toBe('unknown');
    expect(read({ Event: undefined })).toBe('unknown');
    expect(read({ MsgType: 'text' })).toBe('unknown');
  });

  it.each([
    ['without a time', { CreateTime: undefined }],
    ['with a time that is none', { CreateTime: '1.6e9' }],
    ['with an openid that is none', { OpenID: 'o 1' }],
    ['with an endless openid', { OpenID: 'o'.repeat(129) }],
  ])('refuses one of the three %s', (_what, changes) => {
    expect(() => read(changes)).toThrow(PushRefusal);
  });
});

describe("an event's identity", () => {
  it('differs with event, openid, RevokeInfo, CreateTime and MsgId, down to the last digit', () => {
    const identities = [
      {},
      { Event: 'user_info_modified' },
      { OpenID: 'oaKk343WOktAaT2ygsX138BGblrG' },
      { RevokeInfo: '6' },
      { RevokeInfo: '8,6' },
      { CreateTime: '1627359465' },
      { MsgId: '6054768590064713728' },
      { MsgId: '6054768590064713729' },
    ].map(identityOf);

    expect(new Set(identities).size).toBe(identities.length);
    expect(identityOf({ AppID: undefined, MsgType: 'Event' })).toBe(identities[0]);
  });
});
