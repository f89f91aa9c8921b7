/** A user in our words, and how one is kept in the users table. */
import * as v from 'valibot';
import type { Profile } from '../contracts/http/profile.ts';
import { nonEmptyText, unixTime } from '../contracts/schemas.ts';
import { openidIndex, type UserStatus } from '../contracts/table.ts';

/** A user: one openid of one mini-program. Times are Unix seconds. */
export interface User extends Profile {
  /** Random UUID; says nothing about the person. */
  readonly userId: string;
  readonly appid: string;
  readonly openid: string;
  /** Present once WeChat has named it; users are never merged by it. */
  readonly unionid?: string;
  readonly status: UserStatus;
  /** Exact to about a month, so that a login need not write. */
  readonly lastLoginAt: number;
  /** Tokens of logins (`auth_time`) before are revoked. */
  readonly tokensValidAfter?: number;
  /** Absent on a user that was read from the index. */
  readonly createdAt?: number;
  /** When a closed account is to be erased. Absent on one that is not closed, or was read from the index. */
  readonly closesAt?: number;
  /** Absent on a user that was read from the index. */
  readonly phone?: BoundPhone;
}

/** The phone number that a member has bound. */
export interface BoundPhone {
  /** As E.164 has it: `+8613800138000`. */
  readonly e164: string;
  /** Digits, without a plus. */
  readonly countryCode: string;
  /** Unix seconds. */
  readonly boundAt: number;
  /** Hash of the code that it was bound with, by which the same code is known again. */
  readonly codeHash: string;
}

/** Only users have both, so whatever key is given, nothing else of the table is changed. */
export const IS_USER = `attribute_exists(${openidIndex.partitionKey}) AND attribute_exists(${openidIndex.sortKey})`;

const userItem = v.object({
  pk: nonEmptyText,
  appid: nonEmptyText,
  openid: nonEmptyText,
  unionid: v.optional(nonEmptyText),
  username: v.string(),
  sex: v.picklist([0, 1, 2]),
  avatar: v.string(),
  phone: v.optional(
    v.object({
      e164: v.pipe(v.string(), v.regex(/^\+\d{5,15}$/)),
      country_code: v.pipe(v.string(), v.regex(/^\d{1,3}$/)),
      bound_at: unixTime,
      code_hash: nonEmptyText,
    }),
  ),
  status: v.picklist(['active', 'banned', 'closing']),
  created_at: v.optional(unixTime),
  last_login_at: unixTime,
  closes_at: v.optional(unixTime),
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
  const { pk, unionid, phone, created_at, last_login_at, closes_at, tokens_valid_after, ...same } =
    result.output;
  return {
    userId: pk,
    ...same,
    ...(unionid !== undefined && { unionid }),
    lastLoginAt: last_login_at,
    ...(tokens_valid_after !== undefined && { tokensValidAfter: tokens_valid_after }),
    ...(created_at !== undefined && { createdAt: created_at }),
    ...(closes_at !== undefined && { closesAt: closes_at }),
    ...(phone !== undefined && {
      phone: {
        e164: phone.e164,
        countryCode: phone.country_code,
        boundAt: phone.bound_at,
        codeHash: phone.code_hash,
      },
    }),
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
    phone: user.phone && phoneToItem(user.phone),
    status: user.status,
    created_at: user.createdAt,
    last_login_at: user.lastLoginAt,
    closes_at: user.closesAt,
    tokens_valid_after: user.tokensValidAfter,
  };
}

/** A phone number as the table keeps it. */
export function phoneToItem({ e164, countryCode, boundAt, codeHash }: BoundPhone): object {
  return { e164, country_code: countryCode, bound_at: boundAt, code_hash: codeHash };
}
