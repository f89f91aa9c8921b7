/** How a user is removed with all personal data, in one transaction with its record. */
import { type Clock, unixSeconds } from '../contracts/clock.ts';
import { ERASURE_MARK_SECONDS, erasureKey, PARTITION_KEY, TTL_ATTRIBUTE } from '../contracts/table.ts';
import { appidOf, getUserItem, guardKeyOf, type Item, openidOf, type UsersTable } from './items.ts';
import { type Order, recording } from './recorded-changes.ts';
import { createUserSearch } from './search.ts';
import { IS_USER } from './user.ts';
import { type TransactItem, writeAll } from './writes.ts';

/** All throw DomainError `unavailable` when DynamoDB is in trouble. */
export interface Erasure {
  /** Removes the user with all personal data. A later login of the same openid is a new user with a new id. */
  erase(userId: string, order: Order): Promise<boolean>;
  /** Erases the closed accounts whose time has come; resolves to how many, and to what was thrown by those that failed. */
  eraseDue(order: Order): Promise<{ readonly erased: number; readonly failures: readonly unknown[] }>;
}

export function createErasure(options: UsersTable & { readonly now: Clock }): Erasure {
  const { client, tableName: TableName, now } = options;
  const { closing } = createUserSearch(options);

  const erase = (userId: string, order: Order): Promise<boolean> =>
    eraseWhere(userId, order, { ConditionExpression: IS_USER });

  async function eraseDue(order: Order): Promise<{ erased: number; failures: unknown[] }> {
    const at = unixSeconds(now);
    // Not those who came back in the meantime.
    const due = {
      ConditionExpression: `${IS_USER} AND closes_at <= :now`,
      ExpressionAttributeValues: { ':now': at },
    };
    let erased = 0;
    const failures: unknown[] = [];
    for (const { userId } of await closing(at))
      try {
        if (await eraseWhere(userId, order, due)) erased += 1;
      } catch (error) {
        failures.push(error);
      }
    return { erased, failures };
  }

  async function eraseWhere(
    userId: string,
    order: Order,
    condition: { readonly ConditionExpression: string },
  ): Promise<boolean> {
    const item = await getUserItem(options, userId);
    if (item === undefined) return false;
    const user = { TableName, Key: { [PARTITION_KEY]: userId }, ...condition };
    const guard = {
      TableName,
      Key: { [PARTITION_KEY]: guardKeyOf(item) },
      ConditionExpression: 'user_id = :userId',
      ExpressionAttributeValues: { ':userId': userId },
    };
    const recorded = recording(TableName, userId, { at: unixSeconds(now), what: 'erase', ...order });
    const userAndRecord = [{ Delete: user }, recorded, erasureMark(item)];
    let written = await writeAll(client, [...userAndRecord, { Delete: guard }]);
    // There is no guard, or it is another user's and stays.
    if (written === userAndRecord.length) written = await writeAll(client, userAndRecord);
    return written === 'written';
  }

  /** Updated and not put, because whoever may erase may update anyway. */
  function erasureMark(user: Item): TransactItem {
    return {
      Update: {
        TableName,
        Key: { [PARTITION_KEY]: erasureKey(appidOf(user), openidOf(user)) },
        UpdateExpression: `SET ${TTL_ATTRIBUTE} = :until`,
        ExpressionAttributeValues: { ':until': unixSeconds(now) + ERASURE_MARK_SECONDS },
      },
    };
  }

  return { erase, eraseDue };
}
