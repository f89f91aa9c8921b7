import { describe, expect, it } from 'vitest';
import { wxLogin } from './service.ts';
import { startWithout } from './variant.ts';

describe('a permission that is missing in the template', () => {
  it('is missed: the login of a new user fails, and the log names the action', async () => {
    const { url, logs, denied } = await startWithout('dynamodb:PutItem', 'LoginRole');

    const response = await fetch(`${url}/member/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code: await wxLogin() }),
    });

    const body = await response.text();
    expect(JSON.parse(body)).toMatchObject({ code: 503, error: 'unavailable' });
    expect(body).not.toContain('AccessDenied');
    expect(logs.join('\n')).toMatch(
      /AccessDeniedException: User: \S+ is not authorized to perform: dynamodb:PutItem/,
    );
    expect(new Set(denied).size).toBe(1);
  });

  it('is missed by API Gateway too, where it acts as a role of its own', async () => {
    const { url, denied } = await startWithout('dynamodb:GetItem', 'JwksReader');

    const response = await fetch(`${url}/.well-known/jwks.json`);

    expect(response.status).toBe(503);
    expect(denied).toEqual([expect.stringContaining('is not authorized to perform: dynamodb:GetItem')]);
  });
});
