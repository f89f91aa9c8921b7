/** Who changed what about a user, when and why: written in the change's own transaction, so neither is without the other. */
import * as v from 'valibot';
import { changesKey, PARTITION_KEY } from '../contracts/table.ts';
import type { TransactItem } from './writes.ts';

const change = v.object({
  /** Unix seconds. */
  at: v.number(),
  what: v.picklist(['ban', 'unban', 'revoke', 'close', 'restore', 'clear', 'erase']),
  /** Who ordered it: the ARN of an operator's session, `member`, `wechat` or `schedule`. */
  by: v.string(),
  /** Outlives the user, so it must not say anything about the person that is not to stay. */
  reason: v.string(),
});

/** A change that somebody ordered. */
export type RecordedChange = Readonly<v.InferOutput<typeof change>>;

/** Who orders a change, and why. */
export type Order = Pick<RecordedChange, 'by' | 'reason'>;

const changesItem = v.object({ changes: v.array(change) });

/**
 * The part of a transaction that appends a change to those of its user.
 *
 * @param most it does not hold where there are so many already. Default: it always does.
 */
export function recording(
  TableName: string,
  userId: string,
  entry: RecordedChange,
  most?: number,
): TransactItem {
  return {
    Update: {
      TableName,
      Key: { [PARTITION_KEY]: changesKey(userId) },
      UpdateExpression: 'SET changes = list_append(if_not_exists(changes, :none), :entry)',
      ...(most !== undefined && {
        ConditionExpression: 'attribute_not_exists(changes) OR size(changes) < :most',
      }),
      ExpressionAttributeValues: {
        ':none': [],
        ':entry': [entry],
        ...(most !== undefined && { ':most': most }),
      },
    },
  };
}

/**
 * The changes in an item of the table, oldest first; none when there is no item.
 *
 * @throws Error when somebody wrote what we never write; it quotes nothing.
 */
export function changesFromItem(item: unknown): readonly RecordedChange[] {
  if (item === undefined) return [];
  const result = v.safeParse(changesItem, item);
  if (!result.success) throw new Error('An item with the changes of a user is damaged');
  return result.output.changes;
}
