/** The one error that every call of the client rejects with. */
import type { ApiErrorCode } from './api-types.ts';

/** An error of the service, or what kept the client from getting a response. */
export type LoginErrorCode =
  | ApiErrorCode
  /** No response: offline, domain not listed, or interrupted in the background. */
  | 'network'
  | 'timeout'
  /** `abort()` was called. */
  | 'aborted'
  /** The member logged out; `login()` starts again. */
  | 'logged_out'
  /** No `wx.login` here: single-page mode (朋友圈) or a plugin. */
  | 'single_page'
  /** A new login brought another user; what the earlier one had asked for is not repeated. */
  | 'user_changed';

/** What is known of a response that was refused. */
export interface RefusedAnswer {
  readonly status: number;
  readonly requestId?: string | undefined;
  readonly retryAfter?: number | undefined;
  readonly body: unknown;
}

/** Rejection of every call of the client. */
export class LoginError extends Error {
  /** Stable; decide by it. A response that is not our service's has `unavailable`. */
  readonly code: LoginErrorCode;
  /** HTTP status; absent when there was no response. */
  readonly status: number | undefined;
  /** Names the request in the service's log. */
  readonly requestId: string | undefined;
  /** Seconds to wait. */
  readonly retryAfter: number | undefined;
  /** The refused response's body, of whatever team. */
  readonly body: unknown;

  constructor(code: LoginErrorCode, message: string, answer?: RefusedAnswer) {
    super(message);
    this.name = 'LoginError';
    this.code = code;
    Object.assign(this, answer);
  }
}

/** The member logged out. */
export function loggedOut(): LoginError {
  return new LoginError('logged_out', 'Logged out');
}

/** Whether an error has one of these codes. Not by class: apps that are compiled to ES5 lose it. */
export function hasCode(error: unknown, codes: RegExp): boolean {
  return codes.test((error as LoginError).code);
}

/** A request was sent and no response came: it may have been done or not. */
export function isLost(error: unknown): boolean {
  return hasCode(error, /^(network|timeout)$/);
}

/**
 * The token was not accepted: by our service or an authorizer with our envelope, or by a gateway that has no
 * `error` of ours. Every other refusal is about something else, and a login does not help.
 */
export function isRefused(error: unknown): error is LoginError {
  const { status } = error as LoginError;
  return status === 401
    ? hasCode(error, /^(unauthorized|unavailable)$/)
    : status === 403 && hasCode(error, /^(token_revoked|unavailable)$/);
}
