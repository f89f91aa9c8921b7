import { expect, it, vi } from 'vitest';
import { contextOf, createDecide } from '../../../functions/authorizer/decide.ts';
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
const failing = (error: unknown) => ({ verify: () => Promise.reject(error) });
const statusOf = (status: TokenStatus) => ({ statusOf: vi.fn(async () => status) });

it('allows a valid token, with or without somebody to ask about revocation', async () => {
  const allowed = { outcome: 'allow', token };

  expect(await createDecide({ verifier })('text')).toEqual(allowed);
  expect(await createDecide({ verifier, revocations: statusOf('active') })('text')).toEqual(allowed);
});

it.each(['token_revoked', 'user_banned'] as const)('denies what is %s, naming it', async (error) => {
  const decision = await createDecide({ verifier, revocations: statusOf(error) })('text');

  expect(decision).toEqual({ outcome: 'deny', error, token });
});

it('refuses a bad token with its reason, without asking about revocation', async () => {
  const revocations = statusOf('active');
  const decide = createDecide({
    verifier: failing(new TokenRefusal('expired')),
    revocations,
  });

  expect(await decide('text')).toEqual({ outcome: 'refuse', reason: 'expired' });
  expect(revocations.statusOf).not.toHaveBeenCalled();
});

it('has no verdict when keys or revocations cannot be read, or something is broken', async () => {
  for (const error of [new DomainError('unavailable'), new TypeError('a bug'), 'text']) {
    await expect(createDecide({ verifier: failing(error) })('text')).rejects.toBe(error);
    const revocations = { statusOf: () => Promise.reject(error) };
    await expect(createDecide({ verifier, revocations })('text')).rejects.toBe(error);
  }
});

it('keeps an `unauthorized` of the revocation read from passing for a bad token', async () => {
  const error = new DomainError('unauthorized');
  const revocations = { statusOf: () => Promise.reject(error) };

  await expect(createDecide({ verifier, revocations })('text')).rejects.toBe(error);
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
