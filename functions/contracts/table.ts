/** The users table's shape, once: the stack creates it, the functions and the local run read it from here. */
import { createHash } from 'node:crypto';

/** Partition key attribute of every item (string). */
export const PARTITION_KEY = 'pk';

/** TTL attribute: Unix time in seconds. DynamoDB deletes lazily, so readers compare it themselves. */
export const TTL_ATTRIBUTE = 'expires_at';

/** The GSI a returning user is found by. Only user items carry both keys, so only they are in it. */
export const openidIndex = {
  name: 'openid-index',
  partitionKey: 'openid',
  sortKey: 'appid',
  /** Besides the keys: what a login needs of a user. */
  projected: ['unionid', 'username', 'sex', 'avatar', 'status', 'last_login_at', 'tokens_valid_after'],
} as const;

/** The GSI that closed accounts are found by. Only they carry both keys, so only they are in it. */
export const closingIndex = {
  name: 'closing-index',
  partitionKey: 'status',
  /** Unix seconds after which the user is to be erased. */
  sortKey: 'closes_at',
} as const;

/** Whether a user may log in: `closing` are those who cancelled their account, until they are erased. */
export type UserStatus = 'active' | 'banned' | 'closing';

/** Key of the item that makes an openid unique within its mini-program. */
export const openidGuardKey = (appid: string, openid: string): string => `openid#${appid}#${openid}`;

/** Key of the record of an exchanged code; the code itself is never stored. */
export const spentCodeKey = (appid: string, code: string): string => `code#${hash(appid, code)}`;

/** What stands for the keys of all of them in a permission. */
const EVERY_SPENT_CODE_KEY = 'code#*';

/** Key of one of the places that those take who wait for a twin, see `functions/login/spent-codes.ts`. */
export const waitingPlaceKey = (place: number): string => `waiting#${place}`;

/** Longest that a code which arrives again may log in, in seconds; a stage may choose less. */
export const MAX_CODE_REUSE_SECONDS = 300;

/** Key of the mark that an erasure leaves, so that a code of before it makes no new user. */
export const erasureKey = (appid: string, openid: string): string => `erased#${hash(appid, openid)}`;

/** What stands for the keys of all of these marks in a permission. */
export const EVERY_ERASURE_KEY = 'erased#*';

/** How long that mark counts, in seconds: as long as any code of before, and a minute for a login under way. */
export const ERASURE_MARK_SECONDS = MAX_CODE_REUSE_SECONDS + 60;

/** Key of the mark of a login that a logout has ended; `*` stands for all of them. */
export const endedLoginKey = (loginId: string): string => `revoked#${loginId}`;

/** Key of the mark of a push message or of its signature. */
export const pushMarkKey = (key: string): string => `push#${key}`;

/** Key of what operators have done about a user; it names no person, and stays when the user is erased. */
export const changesKey = (userId: string): string => `changes#${userId}`;

/** Key of the item that holds the public JWK Set. */
export const JWKS_KEY = 'jwks';

/** What stands in a permission for the keys of all items that are no user. */
export const EVERY_KEY_OF_NO_USER = [
  JWKS_KEY,
  changesKey('*'),
  EVERY_SPENT_CODE_KEY,
  EVERY_ERASURE_KEY,
  openidGuardKey('*', '*'),
  endedLoginKey('*'),
  pushMarkKey('*'),
];

/** Attribute of the JWK Set item: the set as one JSON string, so that API Gateway can serve it as it is. */
export const JWKS_ATTRIBUTE = 'jwks';

/** Attribute of the same item: when the key that signs now was made, in Unix seconds. */
export const SIGNING_KEY_CREATED_AT_ATTRIBUTE = 'signing_key_created_at';

function hash(appid: string, text: string): string {
  return createHash('sha256').update(`${appid}\n${text}`).digest('hex');
}
