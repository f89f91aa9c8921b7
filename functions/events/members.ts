/** What is read of a push message: the few members that say whether and on whom it acts. */
import { PushRefusal } from './push-refusal.ts';

const names = [
  'Encrypt',
  'MsgType',
  'Event',
  'AppID',
  'OpenID',
  'RevokeInfo',
  'CreateTime',
  'MsgId',
] as const;

export type MemberName = (typeof names)[number];

/** Members as text: ids are 64-bit numbers, and two neighbours would be equal as JavaScript numbers. */
export type Members = ReadonlyMap<MemberName, string>;

/** How deep a message may nest; the deepest of WeChat's have four levels. */
export const MAX_DEPTH = 16;

/** Which of the members that are read a name stands for, without the spaces that WeChat's samples have around it. */
export const memberNamed = (name: string): MemberName | undefined =>
  names.find((candidate) => candidate === name.trim());

/** @throws PushRefusal `unreadable` when it is there twice: the text of a user must not pass for a member of WeChat's */
export function addMember(members: Map<MemberName, string>, name: MemberName, value: string): void {
  if (members.has(name)) throw new PushRefusal('unreadable');
  members.set(name, value.trim());
}
