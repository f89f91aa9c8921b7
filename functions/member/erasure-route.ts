/** `DELETE /member/me`: a member cancels the account (注销), which is erased at once or after a grace period. */
import { callerOf } from '../caller/context.ts';
import { type Clock, unixSeconds } from '../contracts/clock.ts';
import type { RouteHandler } from '../http/handler.ts';
import type { Administration } from '../users/administer.ts';
import { timeOf } from './profile.ts';

interface ErasureRouteOptions {
  readonly administration: Pick<Administration, 'erase' | 'close'>;
  /** Days until a closed account is erased; 0 erases it at once. */
  readonly graceDays: number;
  /** Is told of each user who was erased. */
  readonly onErased: () => void;
  readonly now: Clock;
}

const DAY_SECONDS = 86_400;
const order = { by: 'member', reason: 'the member cancelled the account' };

/** Creates the route: `{erased: true}`, also when somebody else was first, or `{closes_at}`. */
export function createErasureRoute(options: ErasureRouteOptions): RouteHandler<'DELETE /member/me'> {
  const { administration, graceDays, onErased, now } = options;
  return async (event, line) => {
    const { user_id: userId } = callerOf(event);
    line.user_id = userId;
    if (graceDays > 0) {
      const closesAt = await administration.close(userId, unixSeconds(now) + graceDays * DAY_SECONDS, order);
      if (closesAt !== undefined) return { closes_at: timeOf(closesAt) };
    } else if (await administration.erase(userId, order)) onErased();
    return { erased: true };
  };
}
