/** The one error class that domain code throws, so that a single place can turn any failure into an answer. */
import { type ErrorCode, errorCatalogue } from '../contracts/errors.ts';

/** What goes with a {@link DomainError} beside its code. */
export interface DomainErrorOptions {
  /** The error underneath; logged, never answered. */
  readonly cause?: unknown;
  /** Shown after the catalogue's text; names the member and the rule, never the value. */
  readonly detail?: { readonly zh: string; readonly en: string };
  /** Seconds for the `Retry-After` header. */
  readonly retryAfterSeconds?: number;
  /** What an operator needs to know, safe to log: no code, token, openid or secret. */
  readonly reason?: string;
}

/** A failure with a stable {@link ErrorCode}; anything else that is thrown is a bug and answered as `internal`. */
export class DomainError extends Error {
  override readonly name: string = 'DomainError';
  readonly code: ErrorCode;
  readonly detail: { readonly zh: string; readonly en: string } | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly reason: string | undefined;

  constructor(code: ErrorCode, options: DomainErrorOptions = {}) {
    super(
      options.reason ?? errorCatalogue[code].en,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.detail = options.detail;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.reason = options.reason;
  }
}
