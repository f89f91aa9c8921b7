/** `POST /member/login` over HTTP: what of the body is read, in which order it is refused, and who is told of the end. */
import { performance } from 'node:perf_hooks';
import { loginRequest } from '../contracts/http/login-request.ts';
import { asDomainError } from '../errors/domain-error.ts';
import { readBody } from '../http/body.ts';
import type { RouteHandler } from '../http/handler.ts';
import { headerOf } from '../http/header.ts';
import type { LogIn, LoginTrace } from './log-in.ts';
import type { EndedLogin, ObserveLogin } from './login-metrics.ts';
import { chooseMiniProgram } from './mini-program.ts';

interface LoginRouteOptions {
  readonly logIn: LogIn;
  /** The mini-programs whose codes arrive here; the first is the default. */
  readonly appids: readonly [string, ...string[]];
  readonly observe: ObserveLogin;
}

/** Creates the route. All of the body is checked before WeChat is called, because a code works only once. */
export function createLoginRoute({
  logIn,
  appids,
  observe,
}: LoginRouteOptions): RouteHandler<'POST /member/login'> {
  return async (event, line) => {
    const startedAt = performance.now();
    const trace: LoginTrace = {};
    let outcome: EndedLogin['outcome'] = 'ok';
    try {
      const { appid: named, ...request } = readBody(event, loginRequest);
      const appid = chooseMiniProgram(appids, named, headerOf(event.headers, 'referer'));
      line.appid = appid;
      return await logIn({ ...request, appid }, trace);
    } catch (error) {
      outcome = asDomainError(error).code;
      throw error;
    } finally {
      Object.assign(line, trace);
      observe({ outcome, durationMs: Math.round(performance.now() - startedAt), trace });
    }
  };
}
