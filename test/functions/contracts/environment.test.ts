import { expect, it } from 'vitest';
import {
  environments,
  type FunctionName,
  readEnvironment,
} from '../../../functions/contracts/environment.ts';

const complete = {
  POWERTOOLS_SERVICE_NAME: 'wechat-login-test',
  TABLE_NAME: 'users',
  TOKEN_ISSUER: 'https://login.example.com',
  TOKEN_AUDIENCE: 'wechat-login',
  WECHAT_APPIDS: 'wx1, wx2',
  WECHAT_API_BASE: 'https://a.example,https://b.example',
  WECHAT_SECRETS_ARN: 'arn:a',
  KEY_RING_ARN: 'arn:b',
  TOKEN_LIFETIME_SECONDS: '604800',
  CODE_REUSE_WINDOW_SECONDS: '0',
  CONTENT_CHECK: 'off',
};

it('parses a complete environment into a frozen object', () => {
  const environment = readEnvironment('login', complete);

  expect(environment.WECHAT_APPIDS).toEqual(['wx1', 'wx2']);
  expect(environment.CODE_REUSE_WINDOW_SECONDS).toBe(0);
  expect(Object.isFrozen(environment)).toBe(true);
});

it('names every missing variable at once', () => {
  const { TABLE_NAME: _, KEY_RING_ARN: __, ...rest } = complete;

  expect(() => readEnvironment('login', rest)).toThrow(
    'The login function is misconfigured: TABLE_NAME is missing; KEY_RING_ARN is missing',
  );
});

it('requires the name of the service for every function', () => {
  for (const name of Object.keys(environments) as FunctionName[])
    expect(() => readEnvironment(name, {}), name).toThrow('POWERTOOLS_SERVICE_NAME is missing');
});

it('names a wrong variable without its value', () => {
  for (const [name, value] of [
    ['TOKEN_ISSUER', 'not-a-url-secret'],
    ['TOKEN_LIFETIME_SECONDS', '-5secret'],
    ['WECHAT_API_BASE', 'https://ok.example,secret'],
    ['WECHAT_APPIDS', 'wx1,,secret'],
    ['TABLE_NAME', ''],
  ] as const) {
    const read = () => readEnvironment('login', { ...complete, [name]: value });
    expect(read).toThrow(`The login function is misconfigured: ${name} `);
    expect(read).not.toThrow('secret');
  }
});

it('accepts a keys URL only with https, or of this machine', () => {
  const remote = { ...complete, HTTP_RESPONSE: 'simple', CACHE_TTL_SECONDS: '300', ALLOWED_APPIDS: '*' };
  const read = (url: string) => () => readEnvironment('remote-authorizer', { ...remote, JWKS_URL: url });

  for (const url of ['https://login.example.com/jwks.json', 'http://127.0.0.1:8080/', 'http://[::1]:8080/'])
    expect(read(url)().JWKS_URL).toBe(url);
  for (const url of [
    'http://login.example.com/jwks.json',
    'http://127.0.0.1.example.com/',
    'file:///etc/keys',
  ])
    expect(read(url)).toThrow(
      'The remote-authorizer function is misconfigured: JWKS_URL is not an https URL',
    );
  expect(read('nonsense')).toThrow('JWKS_URL is not a URL');
});
