/** The profile as a member sees it: nothing in it is WeChat's, and the phone number is masked. */
import type { ResponseOf } from '../contracts/routes.ts';
import { DomainError } from '../errors/domain-error.ts';
import { maskPhone } from '../users/masked-phone.ts';
import type { User } from '../users/user.ts';

/** @throws DomainError `unauthorized` without a user: a token outlives its user when the account was erased */
export function profileOf(user: User | undefined): ResponseOf<'GET /member/me'> {
  const { userId, username, sex, avatar, phone, createdAt, lastLoginAt } = userOrRefusal(user);
  return {
    user_id: userId,
    username,
    sex,
    avatar,
    phone: phone === undefined ? null : maskPhone(phone),
    // Whoever was stored without it was stored at the latest then.
    created_at: timeOf(createdAt ?? lastLoginAt),
    last_login_at: timeOf(lastLoginAt),
  };
}

/** @throws DomainError `unauthorized` without a user */
export function userOrRefusal(user: User | undefined): User {
  if (user === undefined) throw new DomainError('unauthorized', { reason: 'the user is gone' });
  return user;
}

/** ISO 8601 of Unix seconds. */
export const timeOf = (unixSeconds: number): string => new Date(unixSeconds * 1000).toISOString();
