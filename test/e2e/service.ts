/** What the end-to-end tests speak to: the service as a mini-program sees it, and the simulator behind it. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, inject } from 'vitest';

/** An answer of the service, its envelope parsed. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    readonly code: number;
    readonly msg: string;
    readonly error?: string;
    readonly request_id: string;
    // biome-ignore lint/suspicious/noExplicitAny: each test knows which route it has asked
    readonly data?: any;
  };
}

const confidential = new Set<string>();

/** Marks a value that must never be found in a log. */
export function keepSecret<T extends string>(value: T): T {
  confidential.add(value);
  return value;
}

/** Sends a request and checks that the answer is our envelope, whatever it says. */
export async function call(path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(inject('baseUrl') + path, init);
  const body = (await response.json()) as Answer['body'];
  expect(body).toMatchObject({
    code: response.status,
    msg: expect.any(String),
    request_id: expect.any(String),
  });
  if (typeof body.data?.token === 'string') keepSecret(body.data.token);
  return { status: response.status, headers: response.headers, body };
}

/** `POST`s a JSON body. */
export function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return call(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** `GET`s with a token. */
export function get(path: string, token?: string): Promise<Answer> {
  return call(path, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
}

/** Sends a JSON body, if there is one, with a token. */
export function send(method: 'PUT' | 'POST' | 'DELETE', path: string, token: string, body?: object) {
  return call(path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
}

/** An openid that no other test uses. */
export const newOpenid = (): string => keepSecret(`o${randomBytes(20).toString('base64url')}`);

/** What `wx.login` would hand out to the user with this openid. */
export async function wxLogin(
  user: { openid?: string; unionid?: string; appid?: string } = {},
): Promise<string> {
  const response = await simulator('/__sim/codes', 'POST', { openid: newOpenid(), ...user });
  return keepSecret(((await response.json()) as { code: string }).code);
}

/** What the getPhoneNumber button would hand out to the user with this openid. */
export async function tapPhoneButton({
  openid,
  phone,
  appid,
}: {
  openid: string;
  phone: string;
  appid?: string;
}): Promise<string> {
  const response = await simulator('/__sim/phone-codes', 'POST', { openid, phone, appid });
  return keepSecret(((await response.json()) as { code: string }).code);
}

/** Logs a new user in and answers the login's `data`. */
export async function logIn(profile: object = {}): Promise<{ user_id: string; token: string }> {
  const answer = await post('/member/login', { code: await wxLogin(), ...profile });
  expect(answer.status).toBe(200);
  return answer.body.data;
}

/** Makes WeChat misbehave for the next `times` exchanges (default: until {@link healWechat}). */
export async function breakWechat(
  fault: { fault: string; times?: number } & Record<string, unknown>,
): Promise<void> {
  await simulator('/__sim/faults', 'POST', fault);
}

/** Ends all faults. */
export async function healWechat(): Promise<void> {
  await simulator('/__sim/faults', 'DELETE');
}

/** How many exchanges WeChat has been asked for so far. */
export async function wechatCalls(): Promise<number> {
  return ((await (await simulator('/__sim/calls', 'GET')).json()) as { count: number }).count;
}

/** Fails if any log line of the service holds a secret, a code, a session_key, a token or an openid. */
export function expectCleanLogs(): void {
  const logs = readFileSync(inject('logFile'), 'utf8');
  expect(logs.length).toBeGreaterThan(0);
  for (const secret of [...confidential, ...inject('miniPrograms').map((app) => app.secret)]) {
    expect(logs.includes(secret), `a log line holds ${secret.slice(0, 6)}…`).toBe(false);
  }
  const shapes = {
    'a session_key': /(?<![\w+/])[\w+/]{22}==/,
    'a JWT': /eyJ[\w-]+\.eyJ/,
    'a private key': /PRIVATE KEY|"d":"/,
    'the URL of an exchange': /js_code|jscode2session\?/,
  };
  for (const [what, shape] of Object.entries(shapes)) {
    expect(shape.exec(logs)?.[0], `a log line holds ${what}`).toBeUndefined();
  }
}

async function simulator(path: string, method: string, body?: object): Promise<Response> {
  const response = await fetch(inject('wechatUrl') + path, {
    method,
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  expect(response.ok, `simulator ${method} ${path}: ${response.status}`).toBe(true);
  return response;
}
