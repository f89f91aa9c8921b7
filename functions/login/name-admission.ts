/** Whether a login stores the nickname it brings: what WeChat calls risky is left out, and no login waits long or fails for it. */
import type { CheckContent } from '../wechat/content-check.ts';

interface Somebody {
  readonly appid: string;
  readonly openid: string;
}

/** A check takes some 100 ms, and a first one an access token more. */
const LONGEST_WAIT_MS = 1_500;

/** Creates the check. Without a decision in time the name is stored: optional data never decides a login. */
export function createNameAdmission(
  checkContent: CheckContent,
): (somebody: Somebody, name: string) => Promise<boolean> {
  return async ({ appid, openid }, name) => {
    const timeUp = Promise.withResolvers<true>();
    const timer = setTimeout(() => timeUp.resolve(true), LONGEST_WAIT_MS);
    const decided = checkContent({ appid, openid, text: name }).then(
      ({ decision }) => decision !== 'risky',
      () => true,
    );
    try {
      return await Promise.race([decided, timeUp.promise]);
    } finally {
      clearTimeout(timer);
    }
  };
}
