/** `POST /member/login` over HTTP: what of the body is read, and in which order it is refused. */
import { readBody } from '../http/body.ts';
import type { RouteHandler } from '../http/handler.ts';
import { headerOf } from '../http/header.ts';
import { parseProfile } from '../users/profile.ts';
import type { createLogIn } from './log-in.ts';
import { readLoginCode } from './login-code.ts';
import { chooseMiniProgram } from './mini-program.ts';

/** Creates the route; everything in the body is checked before WeChat is asked, because a code works only once. */
export function createLoginRoute(options: {
  readonly logIn: ReturnType<typeof createLogIn>;
  /** The mini-programs whose codes arrive here; the first is the default. */
  readonly appids: readonly [string, ...string[]];
}): RouteHandler {
  const { logIn, appids } = options;
  return async (event, log) => {
    const body = readBody(event);
    const code = readLoginCode(body.code);
    const appid = chooseMiniProgram(appids, body.appid ?? body.appId, headerOf(event.headers, 'referer'));
    log.appid = appid;
    return logIn({ appid, code, profile: parseProfile(body) }, log);
  };
}
