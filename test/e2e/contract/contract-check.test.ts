/** What the comparison with the document notices: whatever is missing on either side. */
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { keepSecret, logIn } from '../service.ts';
import { createContractCheck, type OpenApiDocument, readDocument } from './contract-check.ts';
import type { RecordedResponse } from './recorded-responses.ts';

/** A success and a refusal of `GET /member/me`. */
let responses: RecordedResponse[];
beforeAll(async () => {
  const { token } = await logIn();
  keepSecret(token);
  responses = await Promise.all(
    [`Bearer ${token}`, 'Bearer nonsense'].map(async (authorization) => {
      const response = await fetch(`${inject('baseUrl')}/member/me`, { headers: { authorization } });
      const { status, headers } = response;
      return {
        method: 'GET',
        path: '/member/me',
        status,
        headers: [...headers],
        body: await response.text(),
      };
    }),
  );
});

/** The document with a change in its text, which must be in there. */
function changed(from: RegExp, to: string): OpenApiDocument {
  const text = JSON.stringify(readDocument());
  expect(text).toMatch(from);
  return JSON.parse(text.replace(from, to));
}

/** What is found, in `GET /member/me` alone. */
function compare(document: OpenApiDocument): { undocumented: string[]; unseen: string[] } {
  const check = createContractCheck(document);
  const undocumented = responses.flatMap((response) => check.see(response));
  return { undocumented, unseen: check.unseen().filter((what) => /^getProfile (200|401)/.test(what)) };
}

it('finds nothing where both say the same', () => {
  expect(compare(readDocument())).toEqual({ undocumented: [], unseen: [] });
});

describe('a response is not documented', () => {
  it.each([
    [
      'without its member',
      /"avatar":\{[^}]*\},"phone"/,
      '"phone"',
      /must NOT have additional properties.*avatar/,
    ],
    ['without its header', /,"WWW-Authenticate":\{"\$ref":[^}]*\}/g, '', /has the header www-authenticate/],
    ['without its error', /"enum":\["unauthorized"\]/g, '"enum":["another"]', /allowed values/],
    ['without its text', /Not logged in, or the login has ended/g, 'Go away', /says: 未登录/],
    ['without its status', /"401":\{"\$ref"/g, '"402":{"$ref"', /401 is not documented/],
    [
      'with a header that it lacks',
      /"WWW-Authenticate":\{"\$ref"/g,
      '"X-Lacking":{"$ref"',
      /lacks X-Lacking/,
    ],
    [
      'with another type',
      /"username":\{"type":"string"/g,
      '"username":{"type":"boolean"',
      /username must be boolean/,
    ],
  ])('%s', (_, from, to, found) => {
    expect(compare(changed(from, to)).undocumented.join('\n')).toMatch(found);
  });
});

describe('what is documented has not occurred', () => {
  it.each([
    ['a member', /"properties":\{"user_id":/g, '"properties":{"never":{},"user_id":', 'member data.never'],
    [
      'a header',
      /"headers":\{"Cache/g,
      '"headers":{"X-Never":{"required":false,"schema":{}},"Cache',
      'header X-Never',
    ],
  ])('%s', (_, from, to, found) => {
    expect(compare(changed(from, to)).unseen.join('\n')).toContain(found);
  });

  it('an error', () => {
    const check = createContractCheck(readDocument());

    expect(check.unseen()).toContain('getProfile 401 error unauthorized');
    responses.forEach(check.see);
    expect(check.unseen()).not.toContain('getProfile 401 error unauthorized');
    expect(check.unseen()).toContain('getProfile 403 error token_revoked');
  });
});
