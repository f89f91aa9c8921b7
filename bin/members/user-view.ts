/** A user as an operator sees one: enough to recognize, and no identifier that need not be on a screen. */
import { maskPhone } from '../../functions/users/masked-phone.ts';
import type { RecordedChange } from '../../functions/users/recorded-changes.ts';
import type { User } from '../../functions/users/user.ts';
import { columns, type Paint } from '../command/output.ts';

/** What is shown of a user, by the API's names; times are UTC. */
export interface UserView extends Readonly<Record<string, unknown>> {
  readonly changes: readonly (Omit<RecordedChange, 'at'> & { readonly at: string | undefined })[];
}

/** The user for the screen; with `show` nothing is masked. */
export function viewOf(user: User, changes: readonly RecordedChange[], show: boolean): UserView {
  const identifier = (value: string | undefined): string | undefined =>
    value === undefined || show ? value : mask(value);
  return {
    user_id: user.userId,
    appid: user.appid,
    openid: identifier(user.openid),
    unionid: identifier(user.unionid),
    phone: user.phone && (show ? user.phone.e164 : maskPhone(user.phone)),
    username: user.username,
    sex: user.sex,
    avatar: user.avatar,
    status: user.status,
    created_at: timeOf(user.createdAt),
    last_login_at: timeOf(user.lastLoginAt),
    closes_at: timeOf(user.closesAt),
    tokens_valid_after: timeOf(user.tokensValidAfter),
    changes: changes.map((change) => ({ ...change, at: timeOf(change.at) })),
  };
}

/** The user as a person reads it: what is known a line each, then what was done. */
export function linesOf({ changes, ...members }: UserView, paint: Paint): readonly string[] {
  const known = Object.entries(members).filter(([, value]) => value !== undefined && value !== '');
  const done = changes.map(({ at = '', what, by, reason }) => [at, what, by, reason]);
  return [
    ...columns(known.map(([name, value]) => [name, String(value)])),
    paint('heading', done.length === 0 ? 'Nothing was done about the user.' : 'What was done about the user'),
    ...columns(done).map((line) => `  ${line}`),
  ];
}

/** A change in a sentence, for what is left of an erased user. */
export function sentenceOf({ what, at, by, reason }: RecordedChange): string {
  return `${what} on ${timeOf(at)} by ${by}: ${reason}`;
}

/** At most a quarter of it and never more than four characters, then its length. */
export function mask(value: string): string {
  return `${value.slice(0, Math.min(4, Math.floor(value.length / 4)))}…(${value.length})`;
}

/** A time for the screen, in UTC. */
export function timeOf(unixSeconds: number | undefined): string | undefined {
  return unixSeconds === undefined ? undefined : new Date(unixSeconds * 1000).toISOString();
}
