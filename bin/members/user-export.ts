/** Everything held about a user, as a person reads it: for members who ask what is kept of them. */

import { maskPhone } from '../../functions/users/masked-phone.ts';
import type { UserExport } from '../../functions/users/search.ts';
import { userFromItem } from '../../functions/users/user.ts';
import { columns, type Paint } from '../command/output.ts';
import { timeOf } from './user-view.ts';

/** The same with the phone number as its owner recognizes it. */
export function withMaskedPhone(held: UserExport): UserExport {
  const { phone } = userFromItem(held.user);
  return phone === undefined ? held : { ...held, user: { ...held.user, phone: maskPhone(phone) } };
}

/** One member a line, times in UTC. */
export function readableExport({ user, openid_guard: guard, changes }: UserExport, paint: Paint): string {
  const lines = (item: Readonly<Record<string, unknown>>): string[] =>
    columns(Object.entries(item).map(([name, value]) => [name, textOf(name, value)])).map(
      (line) => `  ${line}`,
    );
  return [
    paint('heading', 'The user'),
    ...lines(user),
    ...(guard === undefined ? [] : ['', paint('heading', 'What makes the openid unique'), ...lines(guard)]),
    '',
    paint('heading', 'What was done about the user'),
    ...(changes.length === 0
      ? ['  nothing']
      : changes.map(({ at, what, reason }) => `  ${timeOf(at)} ${what}: ${reason}`)),
  ].join('\n');
}

function textOf(name: string, value: unknown): string {
  if (typeof value === 'number' && /_(at|after)$/.test(name)) return String(timeOf(value));
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
