/** What may be a code of WeChat: checked before WeChat is called, so that nonsense costs no call. */
import * as v from 'valibot';
import type { RequestRule } from './request-rules.ts';

/** What the developer tools hand out in place of a code when the project has no AppID. */
const MOCK_CODE = 'the code is a mock one';

const text = v.pipe(
  v.string((issue) => (issue.input === null ? 'code' : 'code_text') satisfies RequestRule),
  v.nonEmpty('code' satisfies RequestRule),
);

/** WeChat documents no format, so anything printable without spaces, up to 256 characters, may be one. */
const characters = v.regex<string, RequestRule>(/^[\x21-\x7e]{1,256}$/, 'code_characters');

/** The code of the phone button. */
export const phoneCode = v.pipe(text, characters);

/** The code of `wx.login`. */
export const loginCode = v.pipe(
  text,
  v.check((code) => code !== MOCK_CODE, 'code_not_mock' satisfies RequestRule),
  characters,
);
