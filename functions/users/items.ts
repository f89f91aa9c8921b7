/** What the table holds of one user, as it is stored: damaged or not, it can be exported and erased. */
import { type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { answered } from '../aws/unavailable.ts';
import { openidGuardKey, openidIndex, PARTITION_KEY } from '../contracts/table.ts';

export type Item = Readonly<Record<string, unknown>>;

/** The users table, and a client for it. */
export interface UsersTable {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
}

/** @throws DomainError `unavailable` */
export async function getItem({ client, tableName }: UsersTable, key: string): Promise<Item | undefined> {
  const { Item } = await answered(
    client.send(
      new GetCommand({ TableName: tableName, Key: { [PARTITION_KEY]: key }, ConsistentRead: true }),
    ),
  );
  return Item;
}

/** The item of a user and of nothing else. @throws DomainError `unavailable` */
export async function getUserItem(table: UsersTable, userId: string): Promise<Item | undefined> {
  const item = await getItem(table, userId);
  const isUser = item?.[openidIndex.partitionKey] !== undefined && item[openidIndex.sortKey] !== undefined;
  return isUser ? item : undefined;
}

export const appidOf = (user: Item): string => String(user[openidIndex.sortKey]);
export const openidOf = (user: Item): string => String(user[openidIndex.partitionKey]);
export const guardKeyOf = (user: Item): string => openidGuardKey(appidOf(user), openidOf(user));
