/** The profile that a mini-program sends with a login, or to change it, and what is kept of it. */

/** WeChat's numbers: 0 unknown, 1 male, 2 female. */
type Sex = 0 | 1 | 2;

/** What a user shows of themselves. */
export interface Profile {
  /** Up to 64 code points without control characters; empty when unknown. */
  readonly username: string;
  readonly sex: Sex;
  /** https URL of up to 2,048 characters; empty when unknown. */
  readonly avatar: string;
}

export const MAX_USERNAME_CODE_POINTS = 64;
export const MAX_AVATAR_LENGTH = 2_048;

/**
 * What WeChat hands out instead of a nickname since 2022-11: nobody's name.
 * https://developers.weixin.qq.com/community/develop/doc/00022c683e8a80b29bed2142b56c01
 */
const PLACEHOLDER_NICKNAME = '微信用户';

/**
 * What is no part of a name: control characters and the two separators that break lines in logs and scripts like them,
 * characters that turn the direction of the text around a name, and halves of characters.
 */
const NOT_IN_NICKNAME = /[\p{Cc}\u2028\u2029\p{Bidi_Control}\p{Cs}]/gu;

/** What shows as nothing. Not dropped from names, because joiners make one picture or letter of several. */
const INVISIBLE = /[\p{White_Space}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** Stands for bytes that were lost on the way: the text around it is not what was meant. */
const REPLACEMENT_CHARACTER = '\ufffd';

/** What no URL holds unescaped, and what would break out of an attribute that shows it. */
const NOT_IN_URL = /[\s\p{Cc}\p{Bidi_Control}"'<>\\`]/u;

const sexes: readonly Sex[] = [0, 1, 2];

/** The spellings of each member in a body; the first that is present and not null counts. */
export const spellings = {
  username: ['nickname', 'nickName'],
  sex: ['sex', 'gender'],
  avatar: ['avatar', 'avatarUrl'],
} as const satisfies Record<keyof Profile, readonly string[]>;

/**
 * What a login keeps of the profile in a request body: optional data never decides a login, so a value that cannot be
 * kept is cleaned or left empty.
 */
export function parseProfile(body: Readonly<Record<string, unknown>>): Profile {
  return {
    username: cleanNickname(firstGiven(body, spellings.username)),
    sex: knownSex(firstGiven(body, spellings.sex)),
    avatar: cleanAvatar(firstGiven(body, spellings.avatar)),
  };
}

export function firstGiven(body: Readonly<Record<string, unknown>>, names: readonly string[]): unknown {
  const name = names.find(
    (each) => Object.hasOwn(body, each) && body[each] !== undefined && body[each] !== null,
  );
  return name === undefined ? undefined : body[name];
}

export function cleanNickname(value: unknown): string {
  if (typeof value !== 'string' || value.includes(REPLACEMENT_CHARACTER)) return '';
  const characters = [...value.replace(NOT_IN_NICKNAME, '').trim()];
  const nickname = characters.slice(0, MAX_USERNAME_CODE_POINTS).join('').trimEnd();
  const visible = nickname.replace(INVISIBLE, '');
  return visible === '' || visible === PLACEHOLDER_NICKNAME ? '' : nickname;
}

/** Form bodies have strings only, so both `1` and `"1"` are known. */
export function knownSex(value: unknown): Sex {
  return sexes.find((each) => isSex(value, each)) ?? 0;
}

const isSex = (value: unknown, sex: Sex): boolean => value === sex || value === `${sex}`;

export function cleanAvatar(value: unknown): string {
  const avatar = typeof value === 'string' ? value.trim() : '';
  return isHttpsUrl(avatar) ? avatar : '';
}

function isHttpsUrl(value: string): boolean {
  if (value.length > MAX_AVATAR_LENGTH || NOT_IN_URL.test(value)) return false;
  if (value.includes(REPLACEMENT_CHARACTER) || !value.isWellFormed()) return false;
  // `new URL` also reads `https:host`, which other readers take for a relative path.
  if (!/^https:\/\//i.test(value) || !URL.canParse(value)) return false;
  const url = new URL(value);
  return url.username === '' && url.password === '';
}
