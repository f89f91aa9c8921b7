/** A user in our words, and how one is kept in the users table. */
import * as v from 'valibot';
import { nonEmptyText, unixTime } from '../contracts/schemas.ts';
import type { UserStatus } from '../contracts/table.ts';
import type { Profile } from './profile.ts';

/** A user: one openid of one mini-program. Times are Unix seconds. */
export interface User extends Profile {
  /** Random UUID; says nothing about the person. */
  readonly userId: string;
  readonly appid: string;
  readonly openid: string;
  /** Present once WeChat has named it; users are never merged by it. */
  readonly unionid?: string;
  readonly status: UserStatus;
  /** Exact to about a day, so that a login need not write. */
  readonly lastLoginAt: number;
  /** Tokens of logins (`auth_time`) before are revoked. */
  readonly tokensValidAfter?: number;
  /** Absent on a user that was read from the index. */
  readonly createdAt?: number;
  /** Absent on a user that was read from the index. */
  readonly phone?: string;
}

const userItem = v.object({
  pk: nonEmptyText,
  appid: nonEmptyText,
  openid: nonEmptyText,
  unionid: v.optional(nonEmptyText),
  username: v.string(),
  sex: v.picklist([0, 1, 2]),
  avatar: v.string(),
  phone: v.optional(v.string()),
  status: v.picklist(['active', 'banned']),
  created_at: v.optional(unixTime),
  last_login_at: unixTime,
  tokens_valid_after: v.optional(unixTime),
});

/**
 * The user in an item of the table or of its index.
 *
 * @throws Error naming the attributes that are wrong, never their values: someone wrote what we never write.
 */
export function userFromItem(item: unknown): User {
  const result = v.safeParse(userItem, item);
  if (!result.success) {
    const attributes = result.issues.map((issue) => v.getDotPath(issue) ?? 'item');
    throw new Error(`A user item of the table is damaged: ${[...new Set(attributes)].join(', ')}`);
  }
  const { pk, unionid, phone, created_at, last_login_at, tokens_valid_after, ...same } = result.output;
  return {
    userId: pk,
    ...same,
    ...(unionid !== undefined && { unionid }),
    lastLoginAt: last_login_at,
    ...(tokens_valid_after !== undefined && { tokensValidAfter: tokens_valid_after }),
    ...(created_at !== undefined && { createdAt: created_at }),
    ...(phone !== undefined && { phone }),
  };
}

/** The table's item for a user; what a user does not have is `undefined` and dropped by the document client. */
export function userToItem(user: User): Record<keyof v.InferInput<typeof userItem>, unknown> {
  return {
    pk: user.userId,
    appid: user.appid,
    openid: user.openid,
    unionid: user.unionid,
    username: user.username,
    sex: user.sex,
    avatar: user.avatar,
    phone: user.phone,
    status: user.status,
    created_at: user.createdAt,
    last_login_at: user.lastLoginAt,
    tokens_valid_after: user.tokensValidAfter,
  };
}
