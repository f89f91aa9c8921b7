import { describe, expect, it } from 'vitest';
import {
  KEY_PUBLIC_BEFORE_USE_SECONDS,
  RETIRED_KEY_PUBLIC_SECONDS,
  SIGNER_MAX_AGE_SECONDS,
  SIGNER_REFRESH_SECONDS,
  VERIFIER_CACHE_SECONDS,
} from '../../functions/contracts/key-schedule.ts';
import { CLOCK_TOLERANCE_SECONDS, MAX_TOKEN_LIFETIME_SECONDS } from '../../functions/contracts/token.ts';
import { settingsFor as readSettings } from '../../lib/stages.ts';
import { settingsFor, stageNames } from '../fixtures/stages.ts';

const certificateArn = 'arn:aws:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef';

describe('the key schedule', () => {
  it('keeps a retired key public for the longest token, the slowest verifier, and clocks that differ', () => {
    expect(RETIRED_KEY_PUBLIC_SECONDS).toBeGreaterThanOrEqual(
      MAX_TOKEN_LIFETIME_SECONDS + VERIFIER_CACHE_SECONDS + SIGNER_MAX_AGE_SECONDS,
    );
    expect(SIGNER_MAX_AGE_SECONDS).toBeGreaterThan(SIGNER_REFRESH_SECONDS + CLOCK_TOLERANCE_SECONDS);
  });

  it('makes a key public for longer than any verifier keeps an older set', () => {
    expect(KEY_PUBLIC_BEFORE_USE_SECONDS).toBeGreaterThan(VERIFIER_CACHE_SECONDS);
  });
});

describe('settingsFor', () => {
  it.each(stageNames)('accepts stage %s as it stands', (stage) => {
    expect(settingsFor(stage).appids.length).toBeGreaterThan(0);
  });

  it('names the stages there are when asked for another', () => {
    expect(() => settingsFor('production')).toThrow(
      "There is no stage 'production' in lib/config.ts; it has dev, staging, prod, prod-cn",
    );
    expect(() => settingsFor('constructor')).toThrow('There is no stage');
  });

  it.each(['Prod', 'my_stage', '1', 'a/b', 'x'.repeat(33)])('refuses a stage called %s', (stage) => {
    expect(() => readSettings(stage, {}, { [stage]: {} })).toThrow(
      new RegExp(
        `^Stage '${stage}' in lib/config.ts cannot be deployed: a name is up to 32 lower-case letters`,
      ),
    );
  });

  it('leaves out what an override says null for, as -c settings=… cannot say undefined', () => {
    const customDomain = { name: 'a.example', certificateArn };
    const team = { dev: { ...settingsFor('dev'), customDomain } };

    expect(readSettings('dev', {}, team).customDomain).toEqual(customDomain);
    expect(readSettings('dev', '{"customDomain":null}', team).customDomain).toBeUndefined();
    expect(() => settingsFor('dev', { appids: null })).toThrow("setting 'appids' is missing");
  });

  it('takes overrides as an object or as JSON text', () => {
    expect(settingsFor('dev', { codeReuseWindowSeconds: 0 }).codeReuseWindowSeconds).toBe(0);
    expect(settingsFor('dev', '{"audience":"orders"}').audience).toBe('orders');
  });

  it('takes a WeChat behind a path, as a proxy has it', () => {
    const wechatApiBases = ['https://proxy.example/wechat', 'https://api.weixin.qq.com/'];

    expect(settingsFor('dev', { wechatApiBases }).wechatApiBases).toEqual(wechatApiBases);
  });

  type Refused = [settings: object, message: string];
  const refused: Refused[] = [
    [{ appids: [] }, "setting 'appids' is []: must name at least one mini-program"],
    [
      { appids: ['gh_123'] },
      `setting 'appids.0' is "gh_123": must be an AppID as the mini-program console shows it`,
    ],
    [{ appids: ['wx0123456789abcdef', 'wx0123456789abcdef'] }, 'must not name a mini-program twice'],
    [
      { appids: Array.from({ length: 101 }, (_, index) => `wx${String(index).padStart(16, '0')}`) },
      'must be at most 1899 characters in all, a hundred mini-programs',
    ],
    [{ wechatApiBases: [`https://a.example/${'a'.repeat(500)}`] }, 'must be at most 500 characters in all'],
    ...[
      'https://a.example/path',
      'login.example.com',
      'http://a.example',
      'https://a.example:99999',
      'https://a.example:abc',
      'https://"><',
      'https://user:password@a.example',
      'https://a.example\\\\path',
      'https://A.example',
      'https://a.example:443',
      'https://$context.path',
    ].map((publicUrl): Refused => [{ publicUrl }, 'must be an https origin without a path']),
    [{ wechatApiBases: [] }, "setting 'wechatApiBases' is []: must name at least one host"],
    ...['https://a.example/?b', 'https://a.example,https://b.example', 'https://a.example:abc'].map(
      (base): Refused => [
        { wechatApiBases: [base], fixedEgressAddresses: 1 },
        'must be an http(s) URL without a query',
      ],
    ),
    [{ wechatApiBases: ['http://api.weixin.qq.com'] }, 'must be https: http carries the AppSecret'],
    [
      { wechatApiBases: ['https://proxy.example:8443'], fixedEgressAddresses: 1 },
      `setting 'wechatApiBases' is ["https://proxy.example:8443"]: must be on port 443`,
    ],
    [{ audience: 'two words' }, 'must be 1 to 128 visible ASCII characters'],
    [{ tokenLifetimeSeconds: 10 }, "setting 'tokenLifetimeSeconds' is 10: must be at least 300"],
    [{ tokenLifetimeSeconds: 1.5e9 }, 'must be at most 604800 (7 days)'],
    [{ codeReuseWindowSeconds: -1 }, 'must not be negative'],
    [{ keyRotationDays: 0.5 }, 'must be a whole number of days'],
    [{ keyRotationDays: 0 }, 'must be at least 1: a key is public for 12 hours before it signs'],
    [
      { keyRotationDays: 1 },
      'must be at least 2: a retired key stays public until its last token has expired',
    ],
    [{ keyRotationDays: 366 }, 'must be at most 365'],
    [{ consumerAccounts: ['1234'] }, 'must be an account id of 12 digits, in quotes'],
    [{ consumerAccounts: [123456789012] }, "setting 'consumerAccounts.0' is 123456789012"],
    [{ consumerAccounts: ['123456789012', '123456789012'] }, 'must not name an account twice'],
    [{ logRetentionDays: 29 }, 'must be a retention that CloudWatch Logs offers'],
    [{ protectData: 'yes' }, 'setting \'protectData\' is "yes"'],
    [{ colour: 'red' }, "'colour' is not a setting; there are appids, "],
    [{ customDomain: { name: 'https://a.example' } }, 'must be a domain name in lower case'],
    [
      {
        customDomain: { name: 'a.example', certificateArn: 'arn:aws:iam::123456789012:server-certificate/a' },
      },
      'must be the ARN of a certificate of ACM',
    ],
    ...[
      'arn:aws:acm:cn-north-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef',
      'arn:aws-cn:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef',
      'arn:aws:acm:eu-west-1:123456789012:certificate/0',
      'arn:aws:acm:---:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef',
    ].map(
      (certificateArn): Refused => [
        { customDomain: { name: 'a.example', certificateArn } },
        'must be the ARN of a certificate of ACM in the region of the stage',
      ],
    ),
    [
      {
        customDomain: {
          name: 'a.example',
          certificateArn:
            'arn:aws-cn:acm:cn-north-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef',
        },
        publicUrl: 'https://b.example',
      },
      `setting 'publicUrl' is "https://b.example": must be left out`,
    ],
    [{ loginsPerIpIn5Minutes: 9 }, 'must be a whole number from 10 to 2000000000'],
    [{ throttle: { requestsPerSecond: 0, burst: 1 } }, "setting 'throttle.requestsPerSecond' is 0: must be"],
    [
      { throttle: { requestsPerSecond: 1 } },
      "setting 'throttle.burst' is missing: lib/settings.ts says what it must be",
    ],
    [
      { loginThrottle: { requestsPerSecond: 1, burst: 1, color: 1 } },
      "'loginThrottle.color' is not a setting",
    ],
    [{ reservedConcurrency: { login: 0.5 } }, 'must be a whole number from 1 to 100000'],
    [{ memoryMb: { login: 128, authorizer: 512 } }, 'must be a whole number from 256 to 10240'],
    [
      { provisionedConcurrency: { authorizer: 101 } },
      `setting 'provisionedConcurrency' is {"authorizer":101}: must not be more than reservedConcurrency has`,
    ],
    [{ fixedEgressAddresses: 3 }, 'must be 0, 1 or 2'],
    [{ architecture: 'arm' }, 'must be arm64 or x86_64'],
    [{ alarmEmails: { urgent: ['nobody'], notice: [] } }, 'must be an e-mail address'],
    [
      { alarmEmails: { urgent: ['a@b.example', 'a@b.example'], notice: [] } },
      'must not name an address twice',
    ],
    [{ runbookUrl: 'two words' }, "setting 'runbookUrl' is"],
    [{ runbookUrl: 'https://wiki.example/x#y' }, 'must be a URL or a path, without a #'],
  ];

  it('lets a service on this machine call any WeChat that it can reach', () => {
    const local = { publicUrl: 'http://127.0.0.1:3000', wechatApiBases: ['http://wechat.internal:8080'] };

    expect(settingsFor('dev', { ...local, fixedEgressAddresses: 1 })).toMatchObject(local);
  });

  it.each(refused)('refuses %j and says what is allowed', (overrides, message) => {
    expect(() => settingsFor('prod', overrides)).toThrow(message);
    expect(() => settingsFor('prod', overrides)).toThrow(/^Stage 'prod': /);
  });

  it.each(['{', '[]', 'null', '5'])('refuses overrides that are not an object: %s', (text) => {
    expect(() => settingsFor('dev', text)).toThrow('-c settings=… must be a JSON object');
  });
});
