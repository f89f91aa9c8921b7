import type { APIGatewayProxyEvent } from 'aws-lambda';
import { describe, expect, it, vi } from 'vitest';
import { DomainError } from '../../../functions/errors/domain-error.ts';
import { createErasureRoute } from '../../../functions/member/erasure-route.ts';
import { createScheduledErasure } from '../../../functions/member/scheduled-erasure.ts';
import type { LogFields } from '../../../functions/telemetry/logger.ts';
import type { Administration } from '../../../functions/users/administer.ts';

const NOW = Date.UTC(2026, 0, 1);
const order = { by: 'member', reason: 'the member cancelled the account' };
const authorizer = { user_id: 'user-1', appid: 'wx1', jti: 'j', auth_time: '1', expires_at: '2' };
const event = { requestContext: { authorizer } } as unknown as APIGatewayProxyEvent;

function setUp(graceDays: number, answers: Partial<Pick<Administration, 'erase' | 'close'>> = {}) {
  const administration = {
    erase: vi.fn(answers.erase ?? (async () => true)),
    close: vi.fn(answers.close ?? (async (_, closesAt) => closesAt)),
  } satisfies Pick<Administration, 'erase' | 'close'>;
  const onErased = vi.fn();
  const line: LogFields = {};
  const route = createErasureRoute({ administration, graceDays, onErased, now: () => NOW });
  return { administration, onErased, line, cancel: () => route(event, line) };
}

describe('DELETE /member/me', () => {
  it('erases the member at once, and counts one', async () => {
    const { administration, onErased, line, cancel } = setUp(0);

    expect(await cancel()).toEqual({ erased: true });

    expect(administration.erase).toHaveBeenCalledExactlyOnceWith('user-1', order);
    expect(administration.close).not.toHaveBeenCalled();
    expect(onErased).toHaveBeenCalledOnce();
    expect(line).toEqual({ user_id: 'user-1' });
  });

  it('says the same when somebody else was first, and counts none', async () => {
    const { onErased, cancel } = setUp(0, { erase: async () => false });

    expect(await cancel()).toEqual({ erased: true });
    expect(onErased).not.toHaveBeenCalled();
  });

  it('closes the account where there is a grace period, and says when it is to be erased', async () => {
    const { administration, onErased, cancel } = setUp(7);

    expect(await cancel()).toEqual({ closes_at: '2026-01-08T00:00:00.000Z' });

    expect(administration.close).toHaveBeenCalledExactlyOnceWith(
      'user-1',
      Date.UTC(2026, 0, 8) / 1000,
      order,
    );
    expect(administration.erase).not.toHaveBeenCalled();
    expect(onErased).not.toHaveBeenCalled();
  });

  it('says that an account that is gone is erased, and what stands of one that was closed before', async () => {
    expect(await setUp(7, { close: async () => undefined }).cancel()).toEqual({ erased: true });
    expect(await setUp(7, { close: async () => NOW / 1000 }).cancel()).toEqual({
      closes_at: '2026-01-01T00:00:00.000Z',
    });
  });
});

describe('the schedule', () => {
  function run(eraseDue: Administration['eraseDue']) {
    const lines: [string, string, LogFields][] = [];
    const log = {
      info: (message: string, fields: LogFields) => lines.push(['info', message, fields]),
      error: (message: string, fields: LogFields) => lines.push(['error', message, fields]),
    };
    const onErased = vi.fn();
    return {
      lines,
      onErased,
      ended: createScheduledErasure({ administration: { eraseDue }, log, onErased })(),
    };
  }

  it('counts each account that it erases', async () => {
    const { lines, onErased, ended } = run(async () => ({ erased: 3, failures: [] }));

    expect(await ended).toBeUndefined();
    expect(onErased).toHaveBeenCalledTimes(3);
    expect(lines).toEqual([['info', 'closed accounts', { erased: 3 }]]);
  });

  it.each([
    ['an erasure fails', async () => ({ erased: 1, failures: [new Error('o-secret')] }), 1],
    ['it cannot look', async () => Promise.reject(new DomainError('unavailable', { reason: 'no table' })), 0],
  ])(
    'fails when %s, so that Lambda counts it, and tells nothing of the person',
    async (_what, eraseDue, erased) => {
      const { lines, onErased, ended } = run(eraseDue);

      await expect(ended).rejects.toThrow('Some closed accounts were not erased');
      await expect(ended).rejects.not.toHaveProperty('cause');
      expect(onErased).toHaveBeenCalledTimes(erased);
      expect(lines).toMatchObject([['error', 'closed accounts', { erased, failed: 1 }]]);
      expect(JSON.stringify(lines)).not.toContain('o-secret');
    },
  );
});
