/** `POST /member/logout`: ends this login, or every login of the user. */

import { callerOf } from '../caller/caller-of.ts';
import { DomainError } from '../errors/domain-error.ts';
import { readBody } from '../http/body.ts';
import type { RouteHandler } from '../http/handler.ts';
import type { Revocations } from '../tokens/revocations.ts';

/** Creates the route: `{all: true}` (a form sends the text) voids every token of the user, otherwise this one. */
export function createLogoutRoute(
  revocations: Pick<Revocations, 'revokeToken' | 'revokeAllTokens'>,
): RouteHandler {
  return async (event, log) => {
    const { user_id: userId, jti, expires_at } = callerOf(event);
    const all = readAll(readBody(event).all);
    log.user_id = userId;
    log.all = all;
    if (all) await revocations.revokeAllTokens(userId);
    else await revocations.revokeToken({ jti, expiresAt: Number(expires_at) });
    return {};
  };
}

function readAll(value: unknown): boolean {
  switch (value) {
    case true:
    case 'true':
      return true;
    case undefined:
    case false:
    case 'false':
      return false;
    default:
      throw new DomainError('invalid_request', {
        detail: { zh: 'all必须是true或false', en: 'all must be true or false' },
      });
  }
}
