/** What `PUT /member/me` is sent. */
import * as v from 'valibot';
import {
  cleanAvatar,
  cleanNickname,
  firstGiven,
  knownSex,
  MAX_AVATAR_LENGTH,
  MAX_USERNAME_CODE_POINTS,
  type Profile,
  spellings,
} from './profile.ts';
import type { RequestRule } from './request-rules.ts';

/** What of these rules a JSON Schema can say to those who send; {@link cleanNickname} decides. */
const NICKNAME_PATTERN =
  '^[^\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufffd]*$';

/** The same for {@link cleanAvatar}. */
const AVATAR_PATTERN = '^([hH][tT][tT][pP][sS]://[^\\s"\'<>\\\\`]+)?$';

const nickname = v.nullish(
  v.pipe(
    v.string('nickname' satisfies RequestRule),
    v.check((text) => cleanNickname(text) === text.trim(), 'nickname' satisfies RequestRule),
    // Not `v.maxLength`, which counts UTF-16 units: a nickname, like JSON Schema, counts code points.
    v.metadata({ maxLength: MAX_USERNAME_CODE_POINTS, pattern: NICKNAME_PATTERN }),
  ),
);
const sex = v.nullish(v.picklist([0, 1, 2, '0', '1', '2', ''], 'sex' satisfies RequestRule));
const avatar = v.nullish(
  v.pipe(
    v.string('avatar' satisfies RequestRule),
    v.check((text) => cleanAvatar(text) === text.trim(), 'avatar' satisfies RequestRule),
    v.metadata({ maxLength: MAX_AVATAR_LENGTH, pattern: AVATAR_PATTERN }),
  ),
);

/**
 * The members of the profile that a body names, to be stored as they are: a value is good if nothing of it had to be
 * cleaned but the white space around it, and `""` clears.
 */
export const profileChanges = v.pipe(
  v.object({ nickname, nickName: nickname, sex, gender: sex, avatar, avatarUrl: avatar }),
  v.check(
    (body) => Object.values(body).some((value) => value !== undefined && value !== null),
    'profile_named' satisfies RequestRule,
  ),
  v.metadata({ minProperties: 1 }),
  v.transform((body): Partial<Profile> => {
    const [username, sex, avatar] = [spellings.username, spellings.sex, spellings.avatar].map((names) =>
      firstGiven(body, names),
    );
    return {
      ...(username !== undefined && { username: cleanNickname(username) }),
      ...(sex !== undefined && { sex: knownSex(sex) }),
      ...(avatar !== undefined && { avatar: cleanAvatar(avatar) }),
    };
  }),
);
