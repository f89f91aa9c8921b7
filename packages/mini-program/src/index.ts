/** What mini-programs import. */
export type { AccountEvents } from './account.ts';
export type { ApiErrorCode, DeletionAnswer, Profile, ProfileChanges } from './api-types.ts';
export { createLoginClient, type LoginClient, type LoginClientOptions } from './client.ts';
export type { LoginOptions } from './log-in.ts';
export { LoginError, type LoginErrorCode, type RefusedAnswer } from './login-error.ts';
export { type HostFailure, type MiniProgramHost, taro, uni, wechat } from './mini-program-platform.ts';
export type { HttpAnswer, HttpRequest, Method, Platform, SentRequest } from './platform.ts';
export type { Abortable, RequestOptions } from './request.ts';
export type { Language } from './service.ts';
export type { LoggedIn } from './session-store.ts';
export { type Fetch, web } from './web-platform.ts';
