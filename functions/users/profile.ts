/** The profile a mini-program may send with a login: what is refused of it, and what is kept. */
import type { DomainError } from '../errors/domain-error.ts';
import { invalidRequest } from '../errors/invalid-request.ts';

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

const MAX_USERNAME_CODE_POINTS = 64;
const MAX_AVATAR_LENGTH = 2_048;

/**
 * What WeChat hands out instead of a nickname since 2022-11: nobody's name.
 * https://developers.weixin.qq.com/community/develop/doc/00022c683e8a80b29bed2142b56c01
 */
const PLACEHOLDER_NICKNAME = '微信用户';

/** Control characters, and the two separators that break lines in logs and scripts like them. */
const CONTROL_CHARACTER = /[\p{Cc}\u2028\u2029]/u;

/** What no URL holds unescaped, and what would break out of an attribute that shows it. */
const NOT_IN_URL = /[\s\p{Cc}"'<>\\`]/u;

const sexes: readonly Sex[] = [0, 1, 2];

/**
 * The profile in a request body, with what is absent left empty. Both spellings are known: `nickname` and `nickName`,
 * `sex` and `gender`, `avatar` and `avatarUrl`; the first that is present and not null counts.
 *
 * @throws DomainError `invalid_request` naming the member and the rule.
 */
export function parseProfile(body: Readonly<Record<string, unknown>>): Profile {
  const nickname = firstGiven(body, 'nickname', 'nickName');
  const sex = firstGiven(body, 'sex', 'gender');
  const avatar = firstGiven(body, 'avatar', 'avatarUrl');
  return {
    username: nickname === undefined ? '' : parseNickname(nickname),
    // A form that leaves the choice open sends an empty field.
    sex: sex === undefined || sex.value === '' ? 0 : parseSex(sex),
    avatar: avatar === undefined ? '' : parseAvatar(avatar),
  };
}

interface Member {
  readonly name: string;
  readonly value: unknown;
}

function firstGiven(body: Readonly<Record<string, unknown>>, ...names: string[]): Member | undefined {
  const name = names.find(
    (each) => Object.hasOwn(body, each) && body[each] !== undefined && body[each] !== null,
  );
  return name === undefined ? undefined : { name, value: body[name] };
}

function parseNickname(member: Member): string {
  const nickname = text(member).trim();
  if (CONTROL_CHARACTER.test(nickname))
    throw invalid(member, '不能包含控制字符', 'must not contain control characters');
  if (!nickname.isWellFormed()) throw invalid(member, '必须是有效的Unicode', 'must be well-formed Unicode');
  if ([...nickname].length > MAX_USERNAME_CODE_POINTS)
    throw invalid(
      member,
      `不能超过${MAX_USERNAME_CODE_POINTS}个字符`,
      `must not be longer than ${MAX_USERNAME_CODE_POINTS} characters`,
    );
  return nickname === PLACEHOLDER_NICKNAME ? '' : nickname;
}

/** Form bodies have strings only, so both `1` and `"1"` are known. */
function parseSex(member: Member): Sex {
  const sex = sexes.find((each) => member.value === each || member.value === `${each}`);
  if (sex === undefined) throw invalid(member, '必须是0、1或2', 'must be 0, 1 or 2');
  return sex;
}

/** A picture that cannot be shown is no reason to refuse a login: it is left out. */
function parseAvatar(member: Member): string {
  const avatar = text(member).trim();
  return isHttpsUrl(avatar) ? avatar : '';
}

function isHttpsUrl(value: string): boolean {
  if (value.length > MAX_AVATAR_LENGTH || NOT_IN_URL.test(value) || !value.isWellFormed()) return false;
  // `new URL` also reads `https:host`, which other readers take for a relative path.
  if (!/^https:\/\//i.test(value) || !URL.canParse(value)) return false;
  const url = new URL(value);
  return url.username === '' && url.password === '';
}

function text(member: Member): string {
  if (typeof member.value !== 'string') throw invalid(member, '必须是字符串', 'must be a string');
  return member.value;
}

function invalid({ name }: Member, zh: string, en: string): DomainError {
  return invalidRequest(`${name}${zh}`, `${name} ${en}`);
}
