/** What `POST /member/login` is sent. */
import * as v from 'valibot';
import { loginCode } from './code.ts';
import { flag } from './flag.ts';
import { parseProfile } from './profile.ts';
import type { RequestRule } from './request-rules.ts';

const appid = v.nullish(v.string('appid' satisfies RequestRule));

/** Optional data never decides a login: whatever it is, what can be kept of it is kept. */
const profileMember = v.optional(v.unknown());

export const loginRequest = v.pipe(
  v.object(
    {
      code: loginCode,
      appid,
      appId: appid,
      restore: flag('restore'),
      nickname: profileMember,
      nickName: profileMember,
      sex: profileMember,
      gender: profileMember,
      avatar: profileMember,
      avatarUrl: profileMember,
    },
    // The one member that can be missing.
    'code' satisfies RequestRule,
  ),
  v.transform(({ code, appid, appId, restore, ...profile }) => ({
    code,
    appid: appid ?? appId ?? undefined,
    restore,
    profile: parseProfile(profile),
  })),
);
