import { describe, expect, it } from 'vitest';
import { DomainError } from '../../../functions/errors/domain-error.ts';
import { type Headers, type MultiValueHeaders, tokenFromHeaders } from '../../../functions/tokens/bearer.ts';

const token = 'abc-1_2.def.ghi';

function reasonOf(headers: Headers, multiValueHeaders?: MultiValueHeaders): string | undefined {
  try {
    return `accepted ${tokenFromHeaders(headers, multiValueHeaders)}`;
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'unauthorized') throw error;
    return error.reason;
  }
}

describe('the Authorization header', () => {
  it('a token is found in every form and case that mini-programs send', () => {
    for (const value of [
      `Bearer ${token}`,
      `bearer ${token}`,
      `BEARER  ${token}`,
      `JWT ${token}`,
      `jwt ${token}`,
      token,
    ])
      for (const name of ['Authorization', 'authorization', 'AUTHORIZATION']) {
        expect(tokenFromHeaders({ [name]: value }, { [name]: [value] }), value).toBe(token);
        expect(tokenFromHeaders({ [name]: value }), value).toBe(token);
        expect(tokenFromHeaders(null, { [name]: [value] }), value).toBe(token);
      }
  });

  it('a token is missing when there is no header or it is empty', () => {
    for (const headers of [
      null,
      undefined,
      {},
      { Authorization: '' },
      { Authorization: undefined },
      { 'x-token': token },
    ])
      expect(reasonOf(headers, null)).toBe('missing_token');
  });

  it('two Authorization headers are refused, even with the same value', () => {
    const cases: [Headers, MultiValueHeaders][] = [
      [{ Authorization: token }, { Authorization: [token, 'other'] }],
      [{ Authorization: token }, { Authorization: [token, token] }],
      [{ Authorization: token, authorization: token }, undefined],
      [{}, { Authorization: [token], authorization: ['other'] }],
      [{ Authorization: token }, { authorization: ['other'] }],
    ];

    for (const [single, multiple] of cases) expect(reasonOf(single, multiple)).toBe('duplicate_header');
  });

  it('an Authorization header of any other form is refused', () => {
    const values = [
      `Bearer ${token}, Bearer ${token}`,
      `Bearer ${token},${token}`,
      `${token},${token}`,
      `Basic ${token}`,
      `Bearer Bearer ${token}`,
      `Bearer:${token}`,
      `Bearer\t${token}`,
      `Bearer ${token} `,
      ` Bearer ${token}`,
      `Bearer "${token}"`,
      `Bearer ${token}\n`,
      `Bearer ${token}=`,
      'Bearer ',
      ' ',
      '{"alg":"none"}',
    ];

    for (const value of values) expect(reasonOf({ Authorization: value }), value).toBe('malformed');
  });
});
