/** `PUT /member/me`: a member changes those of nickname, sex and avatar that the body names. */
import { callerOf } from '../caller/context.ts';
import { profileChanges } from '../contracts/http/profile-changes.ts';
import { DomainError } from '../errors/domain-error.ts';
import { readBody } from '../http/body.ts';
import type { RouteHandler } from '../http/handler.ts';
import type { UserChanges } from '../users/change.ts';
import type { Users } from '../users/find-or-create.ts';
import type { CheckContent } from '../wechat/content-check.ts';
import { profileOf, userOrRefusal } from './profile.ts';

interface ProfileRouteOptions {
  readonly users: Pick<Users, 'findUser'>;
  readonly changes: Pick<UserChanges, 'changeProfile'>;
  /** Default: nicknames are not checked. */
  readonly checkContent?: CheckContent | undefined;
}

/**
 * Creates the route. It throws `invalid_request` naming what is wrong, which a login would have left out,
 * `content_rejected` for a risky nickname, and WeChat's error where there is no decision on it: other than a login, a
 * change can be made again.
 */
export function createProfileRoute({
  users,
  changes,
  checkContent,
}: ProfileRouteOptions): RouteHandler<'PUT /member/me'> {
  async function checkName(userId: string, name: string): Promise<void> {
    if (checkContent === undefined || name === '') return;
    const { appid, openid, username } = userOrRefusal(await users.findUser(userId));
    if (name === username) return;
    const { decision } = await checkContent({ appid, openid, text: name });
    if (decision === 'risky') throw new DomainError('content_rejected');
  }

  return async (event, line) => {
    const { user_id: userId } = callerOf(event);
    line.user_id = userId;
    const named = readBody(event, profileChanges);
    await checkName(userId, named.username ?? '');
    return profileOf(await changes.changeProfile(userId, named));
  };
}
