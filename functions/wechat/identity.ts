/** Whom WeChat says a code belongs to: the one thing that a login takes from WeChat. */
import * as v from 'valibot';

/** WeChat promises no length or alphabet; what is refused here could not be a key or a header safely. */
export const identifier = v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,128}$/));

/** Both are printable ASCII of at most 128 characters. */
export interface WechatIdentity {
  /** The user within one mini-program. */
  readonly openid: string;
  /** The same user in every app of an Open Platform account; present when the mini-program is bound to one. */
  readonly unionid?: string;
}
