import { expect, it } from 'vitest';
import { wxLogin } from './service.ts';
import { startWithout } from './variant.ts';

it('a permission that is missing in the template is missed, and named: by functions and by API Gateway', async () => {
  const { url, logs, denied } = await startWithout({
    LoginRole: 'dynamodb:PutItem',
    JwksReader: 'dynamodb:GetItem',
  });

  const login = await fetch(`${url}/member/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code: await wxLogin() }),
  });
  const deniedToLogin = new Set(denied.splice(0));
  const keys = await fetch(`${url}/.well-known/jwks.json`);

  const body = await login.text();
  expect(JSON.parse(body)).toMatchObject({ code: 503, error: 'unavailable' });
  expect(body).not.toContain('AccessDenied');
  expect(logs.join('\n')).toMatch(
    /AccessDeniedException: User: \S+ is not authorized to perform: dynamodb:PutItem/,
  );
  expect([...deniedToLogin]).toEqual([expect.stringContaining('perform: dynamodb:PutItem')]);
  expect(keys.status).toBe(503);
  expect(denied).toEqual([expect.stringContaining('is not authorized to perform: dynamodb:GetItem')]);
});
