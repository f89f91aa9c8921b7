/** What the schedule does every hour: erases the closed accounts whose grace period is over. */
import { describeError } from '../telemetry/describe-error.ts';
import type { Log } from '../telemetry/logger.ts';
import type { Administration } from '../users/administer.ts';

const order = { by: 'schedule', reason: 'the grace period after the cancellation is over' };

/**
 * Creates it.
 *
 * @throws Error when an erasure failed, so that Lambda counts it and tries again, as the next hour does
 */
export function createScheduledErasure(options: {
  readonly administration: Pick<Administration, 'eraseDue'>;
  readonly log: Log;
  /** Is told of each user who was erased. */
  readonly onErased: () => void;
}): () => Promise<undefined> {
  const { administration, log, onErased } = options;
  return async () => {
    const { erased, failures } = await administration
      .eraseDue(order)
      .catch((error: unknown) => ({ erased: 0, failures: [error] }));
    for (let count = 0; count < erased; count++) onErased();
    if (failures.length === 0) {
      log.info('closed accounts', { erased });
      return undefined;
    }
    log.error('closed accounts', { erased, failed: failures.length, ...describeError(failures[0]) });
    // Lambda logs what is thrown with its causes; those are not ours to vouch for.
    throw new Error('Some closed accounts were not erased');
  };
}
