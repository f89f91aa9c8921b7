import type { APIGatewayProxyEvent } from 'aws-lambda';
import { describe, expect, it, vi } from 'vitest';
import { createPhoneRoutes } from '../../../functions/member/phone-route.ts';
import type { BoundPhone } from '../../../functions/users/user.ts';
import { WechatError, wechatErrorOf } from '../../../functions/wechat/errcodes.ts';
import { storedUser } from '../../fixtures/stored-user.ts';

const NOW = 1_767_225_600;
const number = { e164: '+8613800138000', countryCode: '86' };

function setUp({ windowSeconds = 60, gone = false } = {}) {
  let user = gone ? undefined : storedUser;
  let time = NOW;
  const getPhoneNumber = vi.fn(async () => number);
  const onSleep = vi.fn(async (_ms: number) => {});
  const routes = createPhoneRoutes({
    users: { findUser: async () => user },
    changes: {
      bindPhone: async (_, phone) => {
        user &&= { ...user, phone };
        return user;
      },
      unbindPhone: async () => {
        const { phone: _, ...without } = user ?? storedUser;
        user &&= without;
        return user;
      },
    },
    getPhoneNumber,
    windowSeconds,
    now: () => time * 1000,
    sleep: onSleep,
  });
  const event = (body: object) =>
    ({
      body: JSON.stringify(body),
      headers: {},
      requestContext: {
        authorizer: { user_id: 'user-1', appid: 'wx1', jti: 'j', auth_time: '1', expires_at: '2' },
      },
    }) as unknown as APIGatewayProxyEvent;
  const line = {};
  return {
    getPhoneNumber,
    onSleep,
    line,
    bind: (body: object) => routes.bind(event(body), line),
    unbind: () => routes.unbind(event({}), line),
    bound: () => user?.phone,
    bindElsewhere: (phone: BoundPhone) => {
      user = { ...storedUser, phone };
    },
    tick: (seconds: number) => {
      time += seconds;
    },
  };
}

describe('binding a phone number', () => {
  it("asks WeChat with the member's own openid, keeps number, country code and time, and shows it masked", async () => {
    const { bind, bound, getPhoneNumber, line } = setUp();

    expect(await bind({ code: 'c-1', openid: 'o-of-the-request' })).toMatchObject({
      phone: '+86 138******00',
      username: '小明',
    });

    expect(getPhoneNumber).toHaveBeenCalledExactlyOnceWith({
      appid: 'wx1',
      openid: 'o-of-the-table',
      code: 'c-1',
    });
    expect(bound()).toEqual({
      e164: number.e164,
      countryCode: '86',
      boundAt: NOW,
      codeHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(line).toEqual({ user_id: 'user-1' });
  });

  it('has the same result for the same code within the window, without another call', async () => {
    const { bind, getPhoneNumber, tick } = setUp();
    const first = await bind({ code: 'c-1' });

    tick(59);
    expect(await bind({ code: 'c-1' })).toEqual(first);
    expect(getPhoneNumber).toHaveBeenCalledTimes(1);
    tick(1);
    await bind({ code: 'c-1' });
    expect(getPhoneNumber).toHaveBeenCalledTimes(2);
  });

  it('never does where the window is 0', async () => {
    const { bind, getPhoneNumber, onSleep } = setUp({ windowSeconds: 0 });
    await bind({ code: 'c-1' });
    getPhoneNumber.mockRejectedValue(wechatErrorOf(40029, '', 'api.weixin.qq.com', 'phone_code_invalid'));

    await expect(bind({ code: 'c-1' })).rejects.toMatchObject({ code: 'phone_code_invalid' });
    expect(onSleep).not.toHaveBeenCalled();
  });

  it('waits for the twin request that has used the code up', async () => {
    const { bind, getPhoneNumber, onSleep, bindElsewhere, bound, line } = setUp();
    await bind({ code: 'c-1' });
    const twin = bound();
    if (twin === undefined) throw new Error('nothing was bound');
    bindElsewhere({ ...twin, codeHash: 'other' });
    getPhoneNumber.mockRejectedValue(wechatErrorOf(40029, '', 'api.weixin.qq.com', 'phone_code_invalid'));
    onSleep.mockImplementationOnce(async () => {}).mockImplementationOnce(async () => bindElsewhere(twin));

    expect(await bind({ code: 'c-1' })).toMatchObject({ phone: '+86 138******00' });

    expect(onSleep.mock.calls.flat()).toEqual([100, 300]);
    expect(line).toEqual({ user_id: 'user-1', code_repeated: true });
  });

  it.each([
    ['phone_code_invalid', wechatErrorOf(40029, '', 'api.weixin.qq.com', 'phone_code_invalid'), 3],
    ['phone_code_invalid', wechatErrorOf(43104, '', 'api.weixin.qq.com', 'phone_code_invalid'), 0],
    ['wechat_unavailable', new WechatError('wechat_unavailable', { reason: 'no answer' }), 0],
  ])('fails with %s and leaves the number of before', async (code, error, pauses) => {
    const { bind, bound, getPhoneNumber, onSleep } = setUp();
    await bind({ code: 'c-1' });
    const before = bound();
    getPhoneNumber.mockRejectedValue(error);

    await expect(bind({ code: 'c-2' })).rejects.toMatchObject({ code });

    expect(bound()).toEqual(before);
    expect(onSleep).toHaveBeenCalledTimes(pauses);
  });

  it.each([
    ['missing_code', {}],
    ['missing_code', { code: '' }],
    ['invalid_request', { code: 7 }],
    ['invalid_request', { code: 'a b' }],
    ['invalid_request', { code: 'x'.repeat(257) }],
  ])('refuses with %s what cannot be a code, without a call: %j', async (code, body) => {
    const { bind, getPhoneNumber } = setUp();

    await expect(bind(body)).rejects.toMatchObject({ code });
    expect(getPhoneNumber).not.toHaveBeenCalled();
  });

  it('binds nothing to somebody who is gone', async () => {
    const { bind, unbind, getPhoneNumber } = setUp({ gone: true });

    await expect(bind({ code: 'c-1' })).rejects.toMatchObject({ code: 'unauthorized' });
    await expect(unbind()).rejects.toMatchObject({ code: 'unauthorized' });
    expect(getPhoneNumber).not.toHaveBeenCalled();
  });

  it('is taken back, and the code of before binds nothing more', async () => {
    const { bind, unbind, bound, getPhoneNumber } = setUp();
    await bind({ code: 'c-1' });

    expect(await unbind()).toMatchObject({ phone: null });
    expect(bound()).toBeUndefined();

    getPhoneNumber.mockRejectedValue(wechatErrorOf(40029, '', 'api.weixin.qq.com', 'phone_code_invalid'));
    await expect(bind({ code: 'c-1' })).rejects.toMatchObject({ code: 'phone_code_invalid' });
  });
});
