/** What may be a `wx.login` code: checked before WeChat is called, so that nonsense costs no call. */
import { DomainError } from '../errors/domain-error.ts';
import { invalidRequest } from '../errors/invalid-request.ts';

/** What the developer tools hand out in place of a code when the project has no AppID. */
const MOCK_CODE = 'the code is a mock one';

/**
 * The code out of an untrusted body. WeChat documents no format, so anything printable without spaces, up to
 * 256 characters, may be one.
 *
 * @throws DomainError `missing_code`; `invalid_code` for the developer tools' mock; `invalid_request`.
 */
export function readLoginCode(value: unknown): string {
  if (value === undefined || value === null || value === '') throw new DomainError('missing_code');
  if (typeof value !== 'string') throw invalidRequest('code必须是字符串', 'code must be a string');
  if (value === MOCK_CODE) {
    throw new DomainError('invalid_code', {
      detail: { zh: '开发者工具需要填写AppID', en: 'give the developer tools project an AppID' },
    });
  }
  if (!/^[\x21-\x7e]{1,256}$/.test(value)) {
    throw invalidRequest('code含有非法字符或过长', 'code has characters that no code has, or is too long');
  }
  return value;
}
