/** How a closed account is opened again, by its member's login or by an operator: recorded like every other change. */
import { type Clock, unixSeconds } from '../contracts/clock.ts';
import { PARTITION_KEY } from '../contracts/table.ts';
import { DomainError } from '../errors/domain-error.ts';
import type { UsersTable } from './items.ts';
import { type Order, recording } from './recorded-changes.ts';
import { writeAll } from './writes.ts';

/**
 * Changes of a user until nobody restores the account any more: whoever closed and restored it without end would fill
 * the item, and no ban could be recorded.
 */
const MOST_CHANGES = 500;

/**
 * Opens the account; false when it is not closed.
 *
 * @throws DomainError `unavailable`; `account_closing` when it was closed and restored too often
 */
export async function restoreUser(
  options: UsersTable & { readonly now: Clock },
  userId: string,
  order: Order,
): Promise<boolean> {
  const { client, tableName: TableName, now } = options;
  const opened = {
    TableName,
    Key: { [PARTITION_KEY]: userId },
    UpdateExpression: 'SET #status = :active REMOVE closes_at',
    ConditionExpression: '#status = :closing',
    ExpressionAttributeNames: { '#status': 'status' },
    ExpressionAttributeValues: { ':active': 'active', ':closing': 'closing' },
  };
  const entry = { at: unixSeconds(now), what: 'restore', ...order } as const;
  const outcome = await writeAll(client, [
    { Update: opened },
    recording(TableName, userId, entry, MOST_CHANGES),
  ]);
  if (outcome === 1)
    throw new DomainError('account_closing', { reason: 'it was closed and restored too often' });
  return outcome === 'written';
}
