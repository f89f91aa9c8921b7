/** `POST` and `DELETE /member/phone`: a member binds the phone number behind a code of WeChat's button, or unbinds it. */
import { createHash } from 'node:crypto';
import { setTimeout as realSleep } from 'node:timers/promises';
import { callerOf } from '../caller/context.ts';
import { type Clock, unixSeconds } from '../contracts/clock.ts';
import { phoneRequest } from '../contracts/http/phone-request.ts';
import { readBody } from '../http/body.ts';
import type { RouteHandler } from '../http/handler.ts';
import type { UserChanges } from '../users/change.ts';
import type { Users } from '../users/find-or-create.ts';
import type { User } from '../users/user.ts';
import { ERRCODE, WechatError } from '../wechat/errcodes.ts';
import type { GetPhoneNumber } from '../wechat/phone-number.ts';
import { profileOf, userOrRefusal } from './profile.ts';

interface PhoneRouteOptions {
  readonly users: Pick<Users, 'findUser'>;
  readonly changes: Pick<UserChanges, 'bindPhone' | 'unbindPhone'>;
  readonly getPhoneNumber: GetPhoneNumber;
  /** How long a code that arrives twice has the same result; 0 turns it off. */
  readonly windowSeconds: number;
  readonly now: Clock;
  /** Waits milliseconds. Default: a real timer. */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** A twin request that used the code up may be about to store the number. */
const TWIN_PAUSES_MS = [0, 100, 300, 600];

/**
 * Creates the routes; both return the profile, with the number masked. A code is WeChat's for one use: one that arrives
 * again (lost response, double tap) is known by the number that it has bound.
 *
 * The first throws `phone_code_invalid` when the code is not the member's own, too.
 */
export function createPhoneRoutes(options: PhoneRouteOptions): {
  readonly bind: RouteHandler<'POST /member/phone'>;
  readonly unbind: RouteHandler<'DELETE /member/phone'>;
} {
  const { users, changes, getPhoneNumber, windowSeconds, now, sleep = realSleep } = options;

  function isBoundBy(codeHash: string, { phone }: User): boolean {
    return phone?.codeHash === codeHash && unixSeconds(now) - phone.boundAt < windowSeconds;
  }

  /** The user with the number that a twin request has bound with the same code. */
  async function boundByTwin(userId: string, codeHash: string, error: unknown): Promise<User | undefined> {
    if (windowSeconds === 0 || !(error instanceof WechatError)) return undefined;
    if (error.errcode !== ERRCODE.invalidCode && error.errcode !== ERRCODE.codeUsed) return undefined;
    for (const ms of TWIN_PAUSES_MS) {
      if (ms > 0) await sleep(ms);
      const user = userOrRefusal(await users.findUser(userId));
      if (isBoundBy(codeHash, user)) return user;
    }
    return undefined;
  }

  return {
    async bind(event, line) {
      const { user_id: userId } = callerOf(event);
      line.user_id = userId;
      const { code } = readBody(event, phoneRequest);
      const user = userOrRefusal(await users.findUser(userId));
      const { appid, openid } = user;
      const codeHash = createHash('sha256').update(`${appid}\n${code}`).digest('hex');
      if (isBoundBy(codeHash, user)) return profileOf(user);
      try {
        const { e164, countryCode } = await getPhoneNumber({ appid, openid, code });
        const phone = { e164, countryCode, boundAt: unixSeconds(now), codeHash };
        return profileOf(await changes.bindPhone(userId, phone));
      } catch (error) {
        const bound = await boundByTwin(userId, codeHash, error);
        if (bound === undefined) throw error;
        line.code_repeated = true;
        return profileOf(bound);
      }
    },

    async unbind(event, line) {
      const { user_id: userId } = callerOf(event);
      line.user_id = userId;
      return profileOf(await changes.unbindPhone(userId));
    },
  };
}
