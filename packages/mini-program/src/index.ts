/** What mini-programs import. */

export type { ApiErrorCode, DeletionAnswer, Profile, ProfileChanges } from './api-types.ts';
export { createLoginClient, type LoginClient, type LoginClientOptions } from './client.ts';
export type { Language } from './http/service.ts';
export { LoginError, type LoginErrorCode, type RefusedAnswer } from './login-error.ts';
export { type HostFailure, type MiniProgramHost, taro, uni, wechat } from './platforms/mini-program.ts';
export type { HttpAnswer, HttpRequest, Method, Platform, SentRequest } from './platforms/platform.ts';
export { type Fetch, web } from './platforms/web.ts';
export type { Abortable, RequestOptions } from './request.ts';
export type { AccountEvents } from './session/account.ts';
export type { LoginOptions } from './session/log-in.ts';
export type { LoggedIn } from './session/session-store.ts';
