import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createNameAdmission } from '../../../functions/login/name-admission.ts';
import { wechatErrorOf } from '../../../functions/wechat/errcodes.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const somebody = { appid: 'wx1', openid: 'o1' };

it.each([
  ['pass', true],
  ['review', true],
  ['risky', false],
] as const)('a name that WeChat calls %s is stored: %s', async (decision, stored) => {
  const check = vi.fn(async () => ({ decision }));

  expect(await createNameAdmission(check)(somebody, '小明')).toBe(stored);

  expect(check).toHaveBeenCalledExactlyOnceWith({ ...somebody, text: '小明' });
});

it('a name is stored when WeChat has no decision on it', async () => {
  const admits = createNameAdmission(async () => {
    throw wechatErrorOf(61010, '', 'api.weixin.qq.com');
  });

  expect(await admits(somebody, '小明')).toBe(true);
});

it('a name is stored when WeChat takes too long', async () => {
  const admitted = createNameAdmission(() => new Promise(() => {}))(somebody, '小明');

  await vi.advanceTimersByTimeAsync(1_500);

  expect(await admitted).toBe(true);
});
