/** What may be a code of WeChat: checked before WeChat is called, so that nonsense costs no call. */
import { DomainError } from '../errors/domain-error.ts';
import { invalidRequest } from '../errors/invalid-request.ts';

/**
 * The code out of an untrusted body. WeChat documents no format, so anything printable without spaces, up to
 * 256 characters, may be one.
 *
 * @throws DomainError `missing_code`, `invalid_request`
 */
export function readCode(value: unknown): string {
  if (value === undefined || value === null || value === '') throw new DomainError('missing_code');
  if (typeof value !== 'string') throw invalidRequest('code必须是字符串', 'code must be a string');
  if (!/^[\x21-\x7e]{1,256}$/.test(value)) {
    throw invalidRequest('code含有非法字符或过长', 'code has characters that no code has, or is too long');
  }
  return value;
}
