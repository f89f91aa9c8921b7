/**
 * WeChat's events about a user's data, as typed values.
 * https://developers.weixin.qq.com/miniprogram/dev/server/event_push/platform/authorized_user_information_changes.html
 */
import { createHash } from 'node:crypto';
import type { Members } from './members.ts';
import { PushRefusal } from './push-refusal.ts';

/** What a user can take back of the data that a login service may hold. */
export type PersonalData = 'nickname' | 'avatar' | 'phone' | 'email';

interface AboutUser {
  readonly appid: string;
  readonly openid: string;
  /** When it happened at WeChat, in Unix seconds: a user who was created after it is another one. */
  readonly createdAt: number;
  /** The same for each repetition of the event, and for no other event: a hash that names nobody. */
  readonly identity: string;
}

/** An event that changes what we hold of a user. */
export type PushEvent = AboutUser &
  (
    | { readonly name: 'user_info_modified' }
    | { readonly name: 'user_authorization_revoke'; readonly revoked: readonly PersonalData[] }
    | { readonly name: 'user_authorization_cancellation' }
  );

/** Numbers of RevokeInfo. The others, known or not, are of data that is not held here. */
const revocable: Readonly<Record<string, readonly PersonalData[]>> = {
  6: ['nickname', 'avatar'],
  8: ['phone'],
  16: ['email'],
  19: ['nickname'],
  20: ['avatar'],
};

/**
 * What a message means for the users of the mini-program `appid`: `unknown` when it is no event or none of these, and
 * `no_effect` when it is one, but of another mini-program (a plugin's host), of nobody, or of data that is not held here.
 *
 * @throws PushRefusal `unreadable` when it is one of these events and cannot be understood
 */
export function readEvent(members: Members, appid: string): PushEvent | 'unknown' | 'no_effect' {
  const name = members.get('Event');
  if (members.get('MsgType')?.toLowerCase() !== 'event') return 'unknown';
  if (
    name !== 'user_info_modified' &&
    name !== 'user_authorization_revoke' &&
    name !== 'user_authorization_cancellation'
  )
    return 'unknown';
  const openid = members.get('OpenID') ?? '';
  // Pushes without an OpenID have been seen.
  if (openid === '' || (members.get('AppID') || appid) !== appid) return 'no_effect';
  const createTime = members.get('CreateTime') ?? '';
  if (!/^[\x21-\x7e]{1,128}$/.test(openid) || !/^\d{1,12}$/.test(createTime))
    throw new PushRefusal('unreadable');
  const about = { appid, openid, createdAt: Number(createTime), identity: identityOf(members, appid) };
  if (name !== 'user_authorization_revoke') return { name, ...about };
  const numbers = members.get('RevokeInfo')?.match(/\d+/g) ?? [];
  const revoked = new Set(numbers.flatMap((number) => revocable[number] ?? []));
  return revoked.size === 0 ? 'no_effect' : { name, ...about, revoked: [...revoked] };
}

function identityOf(members: Members, appid: string): string {
  const told = (['Event', 'OpenID', 'RevokeInfo', 'CreateTime', 'MsgId'] as const).map(
    (name) => members.get(name) ?? null,
  );
  return createHash('sha256')
    .update(JSON.stringify([appid, ...told]))
    .digest('hex');
}
