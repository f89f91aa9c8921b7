import { describe, expect, it } from 'vitest';
import { settingsFor, stageNames } from '../../lib/config.ts';

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

  it('takes overrides as an object or as JSON text', () => {
    expect(settingsFor('dev', { codeReuseWindowSeconds: 0 }).codeReuseWindowSeconds).toBe(0);
    expect(settingsFor('dev', '{"audience":"orders"}').audience).toBe('orders');
  });

  it('takes a WeChat behind a path, as a proxy has it', () => {
    const wechatApiBases = ['https://proxy.example/wechat', 'https://api.weixin.qq.com/'];

    expect(settingsFor('dev', { wechatApiBases }).wechatApiBases).toEqual(wechatApiBases);
  });

  it.each([
    [{ appids: [] }, "setting 'appids' is []: must name at least one mini-program"],
    [
      { appids: ['gh_123'] },
      `setting 'appids.0' is "gh_123": must be an AppID as the mini-program console shows it`,
    ],
    [{ appids: ['wx0123456789abcdef', 'wx0123456789abcdef'] }, 'must not name a mini-program twice'],
    [{ publicUrl: 'https://a.example/path' }, 'must be an http(s) origin without a path'],
    [{ publicUrl: 'login.example.com' }, 'must be an http(s) origin without a path'],
    [{ wechatApiBases: [] }, "setting 'wechatApiBases' is []: must name at least one host"],
    [{ wechatApiBases: ['https://a.example/?b'] }, 'must be an http(s) URL without a query'],
    [{ wechatApiBases: ['https://a.example,https://b.example'] }, 'must be an http(s) URL without a query'],
    [{ audience: 'two words' }, 'must be 1 to 128 visible ASCII characters'],
    [{ tokenLifetimeSeconds: 10 }, "setting 'tokenLifetimeSeconds' is 10: must be at least 300"],
    [{ tokenLifetimeSeconds: 1.5e9 }, 'must be at most 604800 (7 days)'],
    [{ codeReuseWindowSeconds: -1 }, 'must not be negative'],
    [{ keyRotationDays: 0.5 }, 'must be a whole number of days'],
    [{ logRetentionDays: 29 }, 'must be a retention that CloudWatch Logs offers'],
    [{ protectData: 'yes' }, 'setting \'protectData\' is "yes"'],
    [{ colour: 'red' }, "'colour' is not a setting; there are appids, "],
  ])('refuses %j and says what is allowed', (overrides, message) => {
    expect(() => settingsFor('prod', overrides)).toThrow(message);
    expect(() => settingsFor('prod', overrides)).toThrow(/^Stage 'prod': /);
  });

  it.each(['{', '[]', 'null', '5'])('refuses overrides that are not an object: %s', (text) => {
    expect(() => settingsFor('dev', text)).toThrow('-c settings=… must be a JSON object');
  });
});
