/** A stage with a grace period: who cancels is out at once, and may come back until they are erased. */
import { expect, it } from 'vitest';
import { keepSecret, newOpenid, wxLogin } from '../service.ts';
import { changedAssembly, startVariant } from '../variant.ts';

it('a member who cancels is asked at the next login, and comes back as they were', async () => {
  let changed = 0;
  const assembly = changedAssembly(({ Properties }) => {
    const { Variables } = (Properties?.Environment ?? {}) as { Variables?: Record<string, unknown> };
    if (Variables?.ERASURE_GRACE_DAYS === undefined) return;
    Variables.ERASURE_GRACE_DAYS = '7';
    changed += 1;
  });
  expect(changed).toBe(1);
  const { url, logs, denied } = await startVariant({ assembly });
  const request = async (method: string, path: string, token = '', body?: object) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(token !== '' && { authorization: `Bearer ${token}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const { code, error, data } = (await response.json()) as Record<string, string> & { data?: Data };
    return { code, error, data: data ?? {} };
  };
  const openid = newOpenid();
  const logIn = async (more: object = {}) =>
    request('POST', '/member/login', '', { code: await wxLogin({ openid }), ...more });
  const before = (await logIn({ nickname: '小明' })).data;
  const cancelledAt = Date.now();

  const cancelled = (await request('DELETE', '/member/me', before.token)).data;

  const days = (Date.parse(cancelled.closes_at ?? '') - cancelledAt) / 86_400_000;
  expect(days).toBeGreaterThan(6.99);
  for (const [method, path] of [
    ['GET', '/member/me'],
    ['POST', '/member/refresh'],
    ['DELETE', '/member/me'],
  ] as const)
    expect((await request(method, path, before.token)).error, `${method} ${path}`).toBe('token_revoked');
  expect(await logIn()).toEqual({ code: 403, error: 'account_closing', data: {} });

  const after = (await logIn({ restore: true })).data;

  expect(after).toMatchObject({ user_id: before.user_id, username: '小明', is_new: false });
  expect((await request('GET', '/member/me', after.token)).code).toBe(200);
  expect((await request('GET', '/member/me', before.token)).error).toBe('token_revoked');
  expect((await logIn()).code).toBe(200);
  expect(denied).toEqual([]);
  for (const hidden of [openid, before.token ?? '', after.token ?? ''])
    expect(logs.join('\n')).not.toContain(keepSecret(hidden));
});

type Data = Readonly<Record<string, string>>;
