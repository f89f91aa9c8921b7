import { expect, it, vi } from 'vitest';
import { createDecide } from '../../../functions/authorizer/decide.ts';
import { contextOf } from '../../../functions/caller/context.ts';
import type { VerifiedToken } from '../../../functions/contracts/token.ts';
import { DomainError } from '../../../functions/errors/domain-error.ts';
import { TokenRefusal } from '../../../functions/tokens/refusal.ts';
import type { TokenStatus } from '../../../functions/tokens/revocations.ts';

const token: VerifiedToken = {
  userId: 'user-1',
  appid: 'wx1',
  jti: 'j1',
  authTime: 1,
  issuedAt: 2,
  expiresAt: 3,
};
const verifier = { verify: async () => token };
const readToken = () => 'text';
const failing = (error: unknown) => ({ verify: () => Promise.reject(error) });
const statusOf = (status: TokenStatus) => ({ statusOf: vi.fn(async () => status) });

it('allows a valid token, whether or not revocation is checked', async () => {
  const allowed = { kind: 'allow', token };

  expect(await createDecide({ verifier })(readToken)).toEqual(allowed);
  expect(await createDecide({ verifier, revocations: statusOf('active') })(readToken)).toEqual(allowed);
});

it.each(['token_revoked', 'user_banned'] as const)('denies what is %s, naming it', async (error) => {
  const decision = await createDecide({ verifier, revocations: statusOf(error) })(readToken);

  expect(decision).toEqual({ kind: 'deny', error, token });
});

it('denies the token of a mini-program that is not among those it may be of, and reads no revocations for it', async () => {
  const revocations = statusOf('active');
  const decisionFor = (allowedAppids?: readonly string[]) =>
    createDecide({ verifier, revocations, allowedAppids })(readToken);

  for (const allowed of [['wx2'], ['wx', 'wx10', 'WX1'], []])
    expect(await decisionFor(allowed)).toEqual({ kind: 'deny', error: 'forbidden', token });
  expect(revocations.statusOf).not.toHaveBeenCalled();
  for (const allowed of [['wx1'], ['wx2', 'wx1'], undefined])
    expect(await decisionFor(allowed)).toEqual({ kind: 'allow', token });
});

it('lets an API narrow the mini-programs of its authorizer, and never widen them', async () => {
  const decide = createDecide({ verifier, allowedAppids: ['wx1', 'wx2'] });
  const narrow = createDecide({ verifier, allowedAppids: ['wx2'] });

  expect(await decide(readToken, ['wx1'])).toEqual({ kind: 'allow', token });
  expect(await decide(readToken, ['wx2'])).toEqual({ kind: 'deny', error: 'forbidden', token });
  expect(await narrow(readToken, ['wx1'])).toEqual({ kind: 'deny', error: 'forbidden', token });
});

it('refuses a bad token with its reason, and does not read revocations', async () => {
  const revocations = statusOf('active');
  const decide = createDecide({
    verifier: failing(new TokenRefusal('expired')),
    revocations,
  });

  expect(await decide(readToken)).toEqual({ kind: 'refuse', reason: 'expired' });
  expect(revocations.statusOf).not.toHaveBeenCalled();
});

it('refuses a request without one token, and verifies nothing', async () => {
  const verify = vi.fn(async () => token);
  const readNothing = () => {
    throw new TokenRefusal('missing_token');
  };

  expect(await createDecide({ verifier: { verify } })(readNothing)).toEqual({
    kind: 'refuse',
    reason: 'missing_token',
  });
  expect(verify).not.toHaveBeenCalled();
});

it('makes no decision when keys or revocations cannot be read, or something is broken', async () => {
  for (const error of [new DomainError('unavailable'), new TypeError('a bug'), 'text']) {
    await expect(createDecide({ verifier: failing(error) })(readToken)).rejects.toBe(error);
    const revocations = { statusOf: () => Promise.reject(error) };
    await expect(createDecide({ verifier, revocations })(readToken)).rejects.toBe(error);
  }
});

it('does not take an `unauthorized` of the revocation read for a bad token', async () => {
  const error = new DomainError('unauthorized');
  const revocations = { statusOf: () => Promise.reject(error) };

  await expect(createDecide({ verifier, revocations })(readToken)).rejects.toBe(error);
});

it('tells the back end about a token in flat strings', () => {
  expect(contextOf(token)).toEqual({
    user_id: 'user-1',
    appid: 'wx1',
    jti: 'j1',
    auth_time: '1',
    expires_at: '3',
  });
});
