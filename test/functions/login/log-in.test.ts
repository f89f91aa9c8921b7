import { describe, expect, it, vi } from 'vitest';
import type { WechatErrorCode } from '../../../functions/contracts/errors.ts';
import { DomainError } from '../../../functions/errors/domain-error.ts';
import { createLogIn, type LogInOptions, type LoginTrace } from '../../../functions/login/log-in.ts';
import type { User } from '../../../functions/users/user.ts';
import { WechatError } from '../../../functions/wechat/errcodes.ts';

const user: User = {
  userId: 'user-1',
  appid: 'wx1',
  openid: 'o1',
  username: '小明',
  sex: 1,
  avatar: '',
  status: 'active',
  lastLoginAt: 0,
};
const NOW_SECONDS = 1_800_000_000;
const before = { identity: { openid: 'o1' }, exchangedAt: NOW_SECONDS - 30, sid: 'login-1' };
const request = { appid: 'wx1', code: '0code', profile: { username: '', sex: 0, avatar: '' } } as const;
const refusal = (code: WechatErrorCode, errcode?: number) =>
  new WechatError(code, { reason: 'refused', ...(errcode !== undefined && { errcode }) });

function setUp(overrides: {
  code2Session?: LogInOptions['wechat']['code2Session'];
  recall?: LogInOptions['spentCodes']['recall'];
  awaitTwin?: LogInOptions['spentCodes']['awaitTwin'];
  remember?: LogInOptions['spentCodes']['remember'];
  renewed?: string;
}) {
  const dependencies = {
    wechat: {
      code2Session: vi.fn(overrides.code2Session ?? (async () => ({ openid: 'o1', host: 'wechat.example' }))),
    },
    appSecrets: {
      secretFor: vi.fn(async () => 'old'),
      renewedSecretFor: vi.fn(async () => overrides.renewed ?? 'old'),
    },
    users: {
      findOrCreateUser: vi.fn(async () => ({ user, isNew: false })),
    },
    spentCodes: {
      remember: vi.fn(overrides.remember ?? (async () => {})),
      recall: vi.fn(overrides.recall ?? (async () => undefined)),
      awaitTwin: vi.fn(overrides.awaitTwin ?? (async () => undefined)),
    },
    revocations: {
      statusOf: vi.fn<LogInOptions['revocations']['statusOf']>(async () => 'active'),
    },
    tokens: {
      prepare: vi.fn(),
      mint: vi.fn(async () => ({ token: 't', jti: 'j', expiresIn: 604_800, expiresAt: 1, keyAgeSeconds: 5 })),
    },
    now: () => NOW_SECONDS * 1000,
  } satisfies LogInOptions;
  const trace: LoginTrace = {};
  return { dependencies, trace, logIn: () => createLogIn(dependencies)(request, trace) };
}

describe('a login', () => {
  it('a login gives the user and a token, and remembers the code it has spent', async () => {
    const { dependencies, trace, logIn } = setUp({});

    expect(await logIn()).toEqual({
      user_id: 'user-1',
      username: '小明',
      avatar: '',
      sex: 1,
      is_new: false,
      token: 't',
      token_type: 'Bearer',
      expires_in: 604_800,
    });
    const login = { sid: expect.stringMatching(/^[0-9a-f-]{36}$/) };
    expect(dependencies.tokens.mint).toHaveBeenCalledExactlyOnceWith({
      ...{ userId: 'user-1', appid: 'wx1', authTime: NOW_SECONDS, ...login },
    });
    expect(dependencies.spentCodes.remember).toHaveBeenCalledExactlyOnceWith(
      { appid: 'wx1', code: '0code' },
      { identity: { openid: 'o1' }, exchangedAt: NOW_SECONDS, ...login },
    );
    expect(dependencies.revocations.statusOf).not.toHaveBeenCalled();
    expect(trace).toMatchObject({
      user_id: 'user-1',
      is_new: false,
      wechat_outcome: 'ok',
      wechat_host: 'wechat.example',
    });
  });

  it('writes the spent code beside the look-up of the user, not before or after it', async () => {
    const order: string[] = [];
    const { dependencies, logIn } = setUp({
      remember: async () => {
        order.push('remember starts');
        await new Promise((resolve) => setTimeout(resolve, 5));
        order.push('remember ends');
      },
    });
    dependencies.users.findOrCreateUser.mockImplementation(async () => {
      order.push('user starts');
      await new Promise((resolve) => setTimeout(resolve, 5));
      order.push('user ends');
      return { user, isNew: false };
    });

    await logIn();

    expect(order.slice(0, 2).sort()).toEqual(['remember starts', 'user starts']);
  });

  it('signs the token while the spent code is being written', async () => {
    const signing = Promise.withResolvers<void>();
    const { dependencies, logIn } = setUp({ remember: () => signing.promise });
    const { mint } = dependencies.tokens;
    const signed = await mint();
    mint.mockImplementation(async () => {
      signing.resolve();
      return signed;
    });

    expect(await logIn()).toMatchObject({ token: 't' });
  });

  it('ends only when its code is remembered, also when it fails before', async () => {
    let remembered = false;
    const { dependencies, logIn } = setUp({
      remember: async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        remembered = true;
      },
    });
    dependencies.users.findOrCreateUser.mockRejectedValue(new DomainError('unavailable'));

    await expect(logIn()).rejects.toMatchObject({ code: 'unavailable' });

    expect(remembered).toBe(true);
  });

  it('reads the signing key while WeChat is called', async () => {
    const { dependencies, logIn } = setUp({
      code2Session: async () => {
        expect(dependencies.tokens.prepare).toHaveBeenCalledOnce();
        return { openid: 'o1', host: 'wechat.example' };
      },
    });

    expect(await logIn()).toMatchObject({ token: 't' });
  });

  it('succeeds although the spent code could not be remembered, and says so in the log', async () => {
    const { trace, logIn } = setUp({
      remember: async () => {
        throw new DomainError('unavailable');
      },
    });

    expect(await logIn()).toMatchObject({ token: 't' });
    expect(trace.spent_code_lost).toBe(true);
  });
});

describe('a code that WeChat calls used', () => {
  it('a code that was spent a moment ago logs the same user in again, in the login of that exchange', async () => {
    const { dependencies, trace, logIn } = setUp({
      code2Session: async () => {
        throw refusal('code_used', 40163);
      },
      awaitTwin: async () => before,
    });

    expect(await logIn()).toMatchObject({ user_id: 'user-1' });
    expect(dependencies.tokens.mint).toHaveBeenCalledExactlyOnceWith({
      ...{ userId: 'user-1', appid: 'wx1', sid: 'login-1', authTime: NOW_SECONDS - 30 },
    });
    expect(dependencies.spentCodes.remember).not.toHaveBeenCalled();
    expect(trace.code_repeated).toBe(true);
  });

  it('40029 is answered after one look, which finds the exchange of a moment ago', async () => {
    const code2Session = async () => {
      throw refusal('invalid_code', 40029);
    };
    const known = setUp({ code2Session, recall: async () => before });
    const invented = setUp({ code2Session });

    expect(await known.logIn()).toMatchObject({ user_id: 'user-1' });
    expect(known.trace.code_repeated).toBe(true);
    await expect(invented.logIn()).rejects.toMatchObject({ code: 'invalid_code' });
    expect(invented.dependencies.spentCodes.recall).toHaveBeenCalledOnce();
    expect(invented.dependencies.spentCodes.awaitTwin).not.toHaveBeenCalled();
  });

  it('a used code that nobody here has spent is refused', async () => {
    const { dependencies, logIn } = setUp({
      code2Session: async () => {
        throw refusal('code_used', 40163);
      },
    });

    await expect(logIn()).rejects.toMatchObject({ code: 'code_used' });
    expect(dependencies.users.findOrCreateUser).not.toHaveBeenCalled();
  });

  it.each(['login_blocked', 'rate_limited', 'wechat_unavailable'] as const)(
    'a code is not looked up among the spent ones when WeChat says %s',
    async (code) => {
      const { dependencies, logIn } = setUp({
        code2Session: async () => {
          throw refusal(code);
        },
      });

      await expect(logIn()).rejects.toMatchObject({ code });
      expect(dependencies.spentCodes.awaitTwin).not.toHaveBeenCalled();
      expect(dependencies.spentCodes.recall).not.toHaveBeenCalled();
    },
  );
});

describe('an AppSecret that WeChat refuses', () => {
  const refusingOld: LogInOptions['wechat']['code2Session'] = async ({ secret }) => {
    if (secret === 'old') throw refusal('wechat_misconfigured', 40125);
    return { openid: 'o1', host: 'wechat.example' };
  };

  it('an AppSecret that WeChat refuses is read again, and the login goes on when it has changed', async () => {
    const { dependencies, logIn } = setUp({ code2Session: refusingOld, renewed: 'new' });

    expect(await logIn()).toMatchObject({ user_id: 'user-1' });
    expect(dependencies.wechat.code2Session).toHaveBeenCalledTimes(2);
  });

  it('an AppSecret that WeChat refuses is not tried again when it has not changed', async () => {
    const { dependencies, logIn } = setUp({ code2Session: refusingOld });

    await expect(logIn()).rejects.toMatchObject({ code: 'wechat_misconfigured' });
    expect(dependencies.wechat.code2Session).toHaveBeenCalledOnce();
  });

  it.each([40013, 40164, 40243, 50002])('an AppSecret is not read again for errcode %i', async (errcode) => {
    const { dependencies, logIn } = setUp({
      code2Session: async () => {
        throw refusal('wechat_misconfigured', errcode);
      },
    });

    await expect(logIn()).rejects.toMatchObject({ errcode });
    expect(dependencies.appSecrets.renewedSecretFor).not.toHaveBeenCalled();
  });
});
