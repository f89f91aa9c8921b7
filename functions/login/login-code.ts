/** The `wx.login` code in a body, and what the developer tools hand out in its place. */
import { DomainError } from '../errors/domain-error.ts';
import { readCode } from '../http/code.ts';

/** What the developer tools hand out in place of a code when the project has no AppID. */
const MOCK_CODE = 'the code is a mock one';

/** @throws DomainError `missing_code`; `invalid_code` for the developer tools' mock; `invalid_request`. */
export function readLoginCode(value: unknown): string {
  if (value === MOCK_CODE) {
    throw new DomainError('invalid_code', {
      detail: { zh: '开发者工具需要填写AppID', en: 'give the developer tools project an AppID' },
    });
  }
  return readCode(value);
}
