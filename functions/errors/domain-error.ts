/** The one error class that domain code throws, so that a single place can turn any failure into a response. */
import { type ErrorCode, type ErrorEntry, errorCatalogue } from '../contracts/errors.ts';

interface DomainErrorOptions {
  /** The error underneath; only its class is logged, and nothing of it is sent. */
  readonly cause?: unknown;
  /** Shown after the catalogue's text; names the member and the rule, never the value. */
  readonly detail?: { readonly zh: string; readonly en: string };
  /** Seconds in `Retry-After`. Default: the catalogue's. */
  readonly retryAfterSeconds?: number | undefined;
  /** What an operator needs to know, safe to log: no code, token, openid or secret. */
  readonly reason?: string;
  /** More for the log line, as safe as the reason. */
  readonly fields?: Readonly<Record<string, string | number | undefined>>;
}

/** A failure with a stable {@link ErrorCode}; anything else that is thrown is a bug, and becomes `internal`. */
export class DomainError extends Error {
  override readonly name: string = 'DomainError';
  readonly code: ErrorCode;
  readonly detail: { readonly zh: string; readonly en: string } | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly reason: string | undefined;
  readonly fields: NonNullable<DomainErrorOptions['fields']>;

  constructor(code: ErrorCode, options: DomainErrorOptions = {}) {
    super(
      options.reason ?? errorCatalogue[code].en,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.detail = options.detail;
    const entry: ErrorEntry = errorCatalogue[code];
    this.retryAfterSeconds = options.retryAfterSeconds ?? entry.retryAfterSeconds;
    this.reason = options.reason;
    this.fields = options.fields ?? {};
  }
}

/** What was thrown as a {@link DomainError}: `internal` for anything that is none. */
export const asDomainError = (thrown: unknown): DomainError =>
  thrown instanceof DomainError ? thrown : new DomainError('internal', { cause: thrown });
