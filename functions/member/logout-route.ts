/** `POST /member/logout`: ends this login with every token of it, or every login of the user. */
import { callerOf } from '../caller/context.ts';
import { logoutRequest } from '../contracts/http/logout-request.ts';
import { loginIdOf } from '../contracts/token.ts';
import { readBody } from '../http/body.ts';
import type { RouteHandler } from '../http/handler.ts';
import type { Revocations } from '../tokens/revocations.ts';

/** Creates the route: `{all: true}` (a form sends the text) ends every login of the user, otherwise this one. */
export function createLogoutRoute(
  revocations: Pick<Revocations, 'endLogin' | 'revokeAllTokens'>,
): RouteHandler<'POST /member/logout'> {
  return async (event, line) => {
    const caller = callerOf(event);
    const { user_id: userId, auth_time } = caller;
    const { all } = readBody(event, logoutRequest);
    line.user_id = userId;
    line.all = all;
    if (all) await revocations.revokeAllTokens(userId);
    else await revocations.endLogin({ loginId: loginIdOf(caller), authTime: Number(auth_time) });
    return {};
  };
}
