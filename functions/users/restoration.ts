/** How a closed account is opened again, by its member's login or by an operator: recorded like every other change. */
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { type Clock, unixSeconds } from '../contracts/clock.ts';
import { PARTITION_KEY } from '../contracts/table.ts';
import { type RecordedChange, recording } from './recorded-changes.ts';
import { writeAll } from './writes.ts';

/**
 * Opens the account; false when it is not closed.
 *
 * @throws DomainError `unavailable`
 */
export async function restoreUser(
  options: { readonly client: DynamoDBDocumentClient; readonly tableName: string; readonly now: Clock },
  userId: string,
  order: Pick<RecordedChange, 'by' | 'reason'>,
): Promise<boolean> {
  const { client, tableName: TableName, now } = options;
  const update = {
    TableName,
    Key: { [PARTITION_KEY]: userId },
    UpdateExpression: 'SET #status = :active REMOVE closes_at',
    ConditionExpression: '#status = :closing',
    ExpressionAttributeNames: { '#status': 'status' },
    ExpressionAttributeValues: { ':active': 'active', ':closing': 'closing' },
  };
  const recorded = recording(TableName, userId, { at: unixSeconds(now), what: 'restore', ...order });
  return (await writeAll(client, [{ Update: update }, recorded])) === 'written';
}
