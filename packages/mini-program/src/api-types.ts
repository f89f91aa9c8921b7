/** What the login service responds, as plain types: `npm run openapi` makes them of its contract. */

/** Why the service refused, as `error` in the response. */
export type ApiErrorCode =
  | 'missing_code'
  | 'invalid_request'
  | 'invalid_code'
  | 'code_used'
  | 'unauthorized'
  | 'phone_code_invalid'
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
  /**
   * Up to 64 code points. White space around it is dropped. Control characters, characters that turn the
   * direction of text, halves of characters, names that show as nothing, and the placeholder `微信用户` are no
   * names.
   */
  readonly nickname?: string;
  /** 0 unknown, 1 male, 2 female. */
  readonly sex?: 0 | 1 | 2;
  /** An https URL of at most 2048 characters. Empty when unknown. */
  readonly avatar?: string;
}

/** A member's profile. */
export interface Profile {
  /** The user, for ever: a random UUID that says nothing about the person. */
  readonly user_id: string;
  /** The nickname; empty when unknown. */
  readonly username: string;
  /** 0 unknown, 1 male, 2 female. */
  readonly sex: 0 | 1 | 2;
  /** An https URL of at most 2048 characters. Empty when unknown. */
  readonly avatar: string;
  /** The bound number, masked. */
  readonly phone: string | null;
  /** When the user was created, in UTC. */
  readonly created_at: string;
  /** Exact to about a month, in UTC. */
  readonly last_login_at: string;
}

/** `POST /member/login` */
export interface LoginAnswer {
  /** The user, for ever: a random UUID that says nothing about the person. */
  readonly user_id: string;
  /** The nickname; empty when unknown. */
  readonly username: string;
  /** An https URL of at most 2048 characters. Empty when unknown. */
  readonly avatar: string;
  /** 0 unknown, 1 male, 2 female. */
  readonly sex: 0 | 1 | 2;
  /** This login created the user. */
  readonly is_new: boolean;
  /** The JWT to send as `Authorization`. Its claims are for verifiers; clients need not read it. */
  readonly token: string;
  /** How the token is sent. */
  readonly token_type: 'Bearer';
  /** Seconds until the token expires, from now. */
  readonly expires_in: number;
}

/** `POST /member/refresh` */
export interface RefreshAnswer {
  /** The user, for ever: a random UUID that says nothing about the person. */
  readonly user_id: string;
  /** The JWT to send as `Authorization`. Its claims are for verifiers; clients need not read it. */
  readonly token: string;
  /** How the token is sent. */
  readonly token_type: 'Bearer';
  /** Seconds until the token expires, from now. */
  readonly expires_in: number;
}

/** `DELETE /member/me`: the account is erased, or will be. */
export type DeletionAnswer =
  | {
      /** All personal data is gone. */
      readonly erased: true;
      readonly closes_at?: never;
    }
  | {
      /** Until then a login with `restore` brings the account back, in UTC. */
      readonly closes_at: string;
      readonly erased?: never;
    };
