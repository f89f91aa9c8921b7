/** What the login service answers and refuses, as plain types. */

/** Why the service refused, as `error` in the answer. */
export type ApiErrorCode =
  | 'missing_code'
  | 'invalid_request'
  | 'invalid_code'
  | 'code_used'
  | 'phone_code_invalid'
  | 'unauthorized'
  | 'login_blocked'
  | 'user_banned'
  | 'account_closing'
  | 'token_revoked'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'content_rejected'
  | 'rate_limited'
  | 'internal'
  | 'unavailable'
  | 'wechat_unavailable'
  | 'wechat_misconfigured';

/** A success of the service. */
export interface ApiSuccess {
  readonly code: number;
  readonly msg: string;
  readonly data: unknown;
  readonly request_id: string;
}

/** A refusal by the service. */
export interface ApiFailure {
  readonly code: number;
  readonly msg: string;
  readonly error: ApiErrorCode;
  readonly request_id: string;
}

/** What a new user starts with, and what a member may change; `""` clears. */
export interface ProfileChanges {
  /** At most 64 characters. */
  readonly nickname?: string;
  /** 0 unknown, 1 male, 2 female. */
  readonly sex?: 0 | 1 | 2;
  /** An https URL. */
  readonly avatar?: string;
}

/** A member's profile. */
export interface Profile {
  readonly user_id: string;
  readonly username: string;
  readonly sex: number;
  readonly avatar: string;
  /** Masked, as `+86 138******00`. */
  readonly phone: string | null;
  readonly created_at: string;
  readonly last_login_at: string;
}

/** `POST /member/login`, and `POST /member/refresh` without `is_new`. */
export interface TokenAnswer {
  readonly user_id: string;
  readonly is_new?: boolean;
  readonly token: string;
  /** Seconds. */
  readonly expires_in: number;
}

/** `DELETE /member/me`: the account is erased, or closes when its grace period ends. */
export interface DeletionAnswer {
  readonly erased?: boolean;
  /** Present while the account can still be brought back. */
  readonly closes_at?: string;
}
