/** `PUT /member/me`: a member changes those of nickname, sex and avatar that the body names. */
import { callerOf } from '../caller/context.ts';
import { readBody } from '../http/body.ts';
import type { RouteHandler } from '../http/handler.ts';
import type { UserChanges } from '../users/change.ts';
import { parseProfileChanges } from '../users/profile.ts';
import { profileOf } from './profile.ts';

/** Creates the route. It throws `invalid_request` naming what is wrong, which a login would have left out. */
export function createProfileRoute(changes: Pick<UserChanges, 'changeProfile'>): RouteHandler {
  return async (event, line) => {
    const { user_id: userId } = callerOf(event);
    line.user_id = userId;
    return profileOf(await changes.changeProfile(userId, parseProfileChanges(readBody(event))));
  };
}
