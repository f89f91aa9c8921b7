/** Produces the documented errors that no other test has a reason to: on every route, in the same way. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, inject, it } from 'vitest';
import { type Route, routes } from '../../../functions/contracts/routes.ts';
import {
  breakWechat,
  call,
  expectCleanLogs,
  healWechat,
  keepSecret,
  logIn,
  newOpenid,
  post,
  send,
  tapPhoneButton,
  wxLogin,
} from '../service.ts';
import { startWithout } from '../variant.ts';

afterEach(healWechat);
afterAll(expectCleanLogs);

const all = routes as readonly Route[];
const withToken = all.filter(({ auth }) => auth === 'token');
const withBody = all.filter(({ request }) => request !== undefined);

const requestWith = (token: string, { method }: Route): RequestInit => ({
  method,
  headers: { authorization: `Bearer ${token}` },
});

describe('every route for members', () => {
  it('denies a token that was revoked', async () => {
    const { token } = await logIn();
    await post('/member/logout', '', { authorization: `Bearer ${token}` });

    for (const route of withToken) {
      const { body } = await call(route.path, requestWith(token, route));
      expect(body, route.operationId).toMatchObject({ code: 403, error: 'token_revoked' });
    }
  });
});

describe('every route that reads a body', () => {
  it.each(withBody.map((route) => [route.operationId, route] as const))(
    'refuses one that cannot be read: %s',
    async (_, route) => {
      const { token } = await logIn();
      const sent = async (contentType: string, body: string) => {
        const init = requestWith(token, route);
        return call(route.path, { ...init, headers: { ...init.headers, 'content-type': contentType }, body });
      };

      expect((await sent('application/json', '{"code":')).body.error).toBe('invalid_request');
      expect((await sent('text/xml', '<code/>')).body.error).toBe('unsupported_media_type');
      const long = await sent('application/json', JSON.stringify({ code: 'x'.repeat(17 * 1024) }));
      expect(long.body.error).toBe('payload_too_large');
    },
  );
});

it('a message of WeChat may have 64 KiB', async () => {
  const [{ appid }] = inject('miniPrograms');

  const { body } = await post(`/wechat/events/${appid}`, 'x'.repeat(64 * 1024 + 1));

  expect(body).toMatchObject({ code: 413, error: 'payload_too_large' });
});

describe('what WeChat says to a route for members', () => {
  it.each([
    [45011, 'rate_limited'],
    [48001, 'wechat_misconfigured'],
    [-1, 'wechat_unavailable'],
  ] as const)('errcode %i is %s', async (errcode, error) => {
    const openid = newOpenid();
    const phone = keepSecret('13800138000');
    const { token } = (await post('/member/login', { code: await wxLogin({ openid }) })).body.data;

    await breakWechat({ route: 'msg_sec_check', fault: 'errcode', errcode });
    await breakWechat({ route: 'getuserphonenumber', fault: 'errcode', errcode });
    const answers = [
      await send('PUT', '/member/me', token, { nickname: '小明' }),
      await send('POST', '/member/phone', token, { code: await tapPhoneButton({ openid, phone }) }),
    ];

    expect(answers.map(({ body }) => body.error)).toEqual([error, error]);
  });
});

it('changes are unavailable without their permission; a mini-program that is served no more has no token refreshed', async () => {
  const [first, second = ''] = inject('miniPrograms').map(({ appid }) => appid);
  const { url, stack } = await startWithout({ AccountRole: 'dynamodb:UpdateItem' });
  const openid = newOpenid();
  const { token } = await logInAt(url, { openid });
  const { token: ofSecond } = await logInAt(url, { appid: second });
  const code = await tapPhoneButton({ openid, phone: keepSecret('13800138001') });

  for (const answer of [
    await at(url, 'PUT', '/member/me', { token, body: { sex: 1 } }),
    await at(url, 'POST', '/member/phone', { token, body: { code } }),
  ])
    expect(answer).toMatchObject({ status: 503, body: { error: 'unavailable' } });

  // As a deployment would that takes it out of the setting.
  for (const folder of stack.resolver.template.assets.values()) {
    const bundle = join(folder, 'index.mjs');
    if (existsSync(bundle))
      writeFileSync(bundle, `process.env.WECHAT_APPIDS &&= '${first}';\n${readFileSync(bundle, 'utf8')}`);
  }
  for (const { logicalId } of stack.resolver.resourcesOf('AWS::Lambda::Function'))
    if (logicalId.startsWith('Login')) await stack.replace(logicalId);

  const refreshed = await at(url, 'POST', '/member/refresh', { token: ofSecond });

  expect(refreshed.body).toMatchObject({ code: 403, error: 'forbidden' });
});

/** A request to another stack than the shared one. */
async function at(
  url: string,
  method: string,
  path: string,
  { token, body }: { token?: string; body?: object } = {},
) {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  return {
    status: response.status,
    body: (await response.json()) as { code: number; error?: string; data?: unknown },
  };
}

async function logInAt(
  url: string,
  user: { openid?: string; appid?: string } = {},
): Promise<{ token: string }> {
  const { appid } = user;
  const login = await at(url, 'POST', '/member/login', {
    body: { code: await wxLogin(user), ...(appid !== undefined && { appid }) },
  });
  const data = login.body.data as { token: string };
  keepSecret(data.token);
  return data;
}
