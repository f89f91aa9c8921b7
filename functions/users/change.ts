/** What members change about themselves. A user who was erased in the meantime stays erased. */
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Profile } from '../contracts/http/profile.ts';
import { PARTITION_KEY } from '../contracts/table.ts';
import { type BoundPhone, IS_USER, phoneToItem, type User, userFromItem } from './user.ts';
import { update } from './writes.ts';

/** All resolve to the user as they are then, or undefined when there is none, and throw DomainError `unavailable`. */
export interface UserChanges {
  /** The last writer wins, member by member. */
  changeProfile(userId: string, changes: Partial<Profile>): Promise<User | undefined>;
  /** Takes the place of the number before. */
  bindPhone(userId: string, phone: BoundPhone): Promise<User | undefined>;
  unbindPhone(userId: string): Promise<User | undefined>;
}

export function createUserChanges(options: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
}): UserChanges {
  const { client, tableName: TableName } = options;

  async function change(
    userId: string,
    UpdateExpression: string,
    values: Readonly<Record<string, unknown>> = {},
  ): Promise<User | undefined> {
    const item = await update(client, {
      TableName,
      Key: { [PARTITION_KEY]: userId },
      UpdateExpression,
      ConditionExpression: IS_USER,
      ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
    });
    return item && userFromItem(item);
  }

  return {
    changeProfile(userId, changes) {
      const named = Object.entries(changes);
      const set = named.map(([name]) => `${name} = :${name}`).join(', ');
      return change(
        userId,
        `SET ${set}`,
        Object.fromEntries(named.map(([name, value]) => [`:${name}`, value])),
      );
    },
    bindPhone: (userId, phone) => change(userId, 'SET phone = :phone', { ':phone': phoneToItem(phone) }),
    unbindPhone: (userId) => change(userId, 'REMOVE phone'),
  };
}
