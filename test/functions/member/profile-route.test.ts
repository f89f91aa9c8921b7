import type { APIGatewayProxyEvent } from 'aws-lambda';
import { describe, expect, it, vi } from 'vitest';
import { createHttpHandler } from '../../../functions/http/handler.ts';
import { createProfileRoute } from '../../../functions/member/profile-route.ts';
import type { CheckContent } from '../../../functions/wechat/content-check.ts';
import { ERRCODE, wechatErrorOf } from '../../../functions/wechat/errcodes.ts';
import { recordMetrics } from '../../fixtures/recorded-metrics.ts';
import { storedUser } from '../../fixtures/stored-user.ts';

const authorizer = { user_id: 'user-1', appid: 'wx1', jti: 'j', auth_time: '1', expires_at: '2' };

/** The route behind its HTTP handler, with a check that decides like this. */
function setUp(decide?: CheckContent, { gone = false } = {}) {
  const user = gone ? undefined : storedUser;
  const checkContent = decide && vi.fn(decide);
  const changeProfile = vi.fn(async (_: string, changes: object) => user && { ...user, ...changes });
  const lines: string[] = [];
  const write = (...line: unknown[]) => lines.push(JSON.stringify(line));
  const handler = createHttpHandler(
    {
      'PUT /member/me': createProfileRoute({
        users: { findUser: async () => user },
        changes: { changeProfile },
        checkContent,
      }),
    },
    { info: write, error: write },
    recordMetrics().metrics,
  );
  const put = async (body: object) => {
    const {
      statusCode,
      headers,
      body: text,
    } = await handler({
      httpMethod: 'PUT',
      resource: '/member/me',
      headers: {},
      body: JSON.stringify(body),
      requestContext: { requestId: 'request', authorizer },
    } as unknown as APIGatewayProxyEvent);
    return { status: statusCode, headers, ...JSON.parse(text) };
  };
  return { put, checkContent, changeProfile, lines };
}

const refusing =
  (errcode: number): CheckContent =>
  async () => {
    throw wechatErrorOf(errcode, '', 'api.weixin.qq.com');
  };

describe('PUT /member/me', () => {
  it('changes what the body names, and answers the profile', async () => {
    const { put, changeProfile } = setUp();

    expect(await put({ nickName: ' 小红 ', gender: '2' })).toMatchObject({
      status: 200,
      data: { user_id: 'user-1', username: '小红', sex: 2, avatar: '' },
    });
    expect(changeProfile).toHaveBeenCalledExactlyOnceWith('user-1', { username: '小红', sex: 2 });
  });

  it('refuses the token of a member who is gone', async () => {
    const { put } = setUp(undefined, { gone: true });

    expect(await put({ sex: 1 })).toMatchObject({ status: 401, error: 'unauthorized' });
  });
});

describe('the check of nicknames', () => {
  it.each(['pass', 'review'] as const)('stores one that WeChat calls %s', async (decision) => {
    const { put, checkContent } = setUp(async () => ({ decision }));

    expect(await put({ nickname: '小红' })).toMatchObject({ status: 200, data: { username: '小红' } });
    // With what the table says of the member, whatever the body does.
    const asked = { appid: 'wx1', openid: 'o-of-the-table', text: '小红' };
    expect(checkContent).toHaveBeenCalledExactlyOnceWith(asked);
  });

  it('is not made of what is no new name', async () => {
    const { put, checkContent } = setUp(refusing(ERRCODE.memberNotActive));

    for (const body of [{ nickname: '' }, { sex: 1 }, { avatar: '' }, { nickname: '小明' }])
      expect(await put(body), JSON.stringify(body)).toMatchObject({ status: 200 });
    expect(checkContent).not.toHaveBeenCalled();
  });

  it.each([
    ['a risky name', async () => ({ decision: 'risky' as const }), 422, 'content_rejected', undefined],
    ['a member not seen lately', refusing(ERRCODE.memberNotActive), 503, 'wechat_unavailable', undefined],
    ['a busy WeChat', refusing(ERRCODE.busy), 503, 'wechat_unavailable', undefined],
    ['the quota of a minute', refusing(ERRCODE.checkQuotaUsed), 429, 'rate_limited', '60'],
    ['the quota of a day', refusing(ERRCODE.dayQuotaUsed), 429, 'rate_limited', '3600'],
    ['a wrong AppSecret', refusing(ERRCODE.invalidAppSecret), 503, 'wechat_misconfigured', undefined],
    ['a bug', async () => Promise.reject(new TypeError('of ours')), 500, 'internal', undefined],
  ] as const)('stores nothing for %s', async (_what, decide, status, error, retryAfter) => {
    const { put, changeProfile, lines } = setUp(decide);

    const response = await put({ nickname: '张三', sex: 1 });

    expect(response).toMatchObject({ status, error });
    expect(response.headers['Retry-After']).toBe(retryAfter);
    expect(changeProfile).not.toHaveBeenCalled();
    for (const personal of ['张三', 'o-of-the-table'])
      expect(lines.join('\n') + JSON.stringify(response)).not.toContain(personal);
  });
});
