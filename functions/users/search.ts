/** How operators, members and the schedule find users in the table, and everything that is held about one. */
import { QueryCommand, ScanCommand, type ScanCommandOutput } from '@aws-sdk/lib-dynamodb';
import { answered } from '../aws/unavailable.ts';
import {
  changesKey,
  closingIndex,
  openidGuardKey,
  openidIndex,
  PARTITION_KEY,
  type UserStatus,
} from '../contracts/table.ts';
import { getItem, getUserItem, guardKeyOf, type Item, type UsersTable } from './items.ts';
import { changesFromItem, type RecordedChange } from './recorded-changes.ts';
import { type User, userFromItem } from './user.ts';

/** Everything held about a user, attributes as they are stored. */
export interface UserExport {
  readonly user: Item;
  /** What makes their openid unique; absent when it is another user's. */
  readonly openid_guard?: Item;
  /** Without who ordered them: that is personal data of somebody else. */
  readonly changes: readonly Omit<RecordedChange, 'by'>[];
}

/** Finds users. All throw DomainError `unavailable` when DynamoDB is in trouble. */
export interface UserSearch {
  findByUserId(userId: string): Promise<User | undefined>;
  /** At most one user for each mini-program, and a user of the last second may be missing: the index trails the table. */
  findByOpenid(openid: string, appid?: string): Promise<User[]>;
  /** The user of an openid as of this moment. */
  findByGuard(appid: string, openid: string): Promise<User | undefined>;
  /** Reads the whole table: there is no index for a question this rare. Slow, and paid for by the table's size. */
  findByUnionid(unionid: string): Promise<User[]>;
  /** By a number as E.164 has it; reads the whole table, too. */
  findByPhone(e164: string): Promise<User[]>;
  /** What was done about a user, oldest first; that of an erased user too. */
  changesOf(userId: string): Promise<readonly RecordedChange[]>;
  /** The closed accounts, the next to be erased first; with `until` (Unix seconds) those that are to be erased by then. */
  closing(until?: number): Promise<readonly User[]>;
  exportUser(userId: string): Promise<UserExport | undefined>;
}

export function createUserSearch(table: UsersTable): UserSearch {
  const { client, tableName: TableName } = table;

  async function findByUserId(userId: string): Promise<User | undefined> {
    const item = await getUserItem(table, userId);
    return item && userFromItem(item);
  }

  async function findByOpenid(openid: string, appid?: string): Promise<User[]> {
    const { Items = [] } = await answered(
      client.send(
        new QueryCommand({
          TableName,
          IndexName: openidIndex.name,
          KeyConditionExpression:
            appid === undefined ? '#openid = :openid' : '#openid = :openid AND #appid = :appid',
          ExpressionAttributeNames: {
            '#openid': openidIndex.partitionKey,
            ...(appid !== undefined && { '#appid': openidIndex.sortKey }),
          },
          ExpressionAttributeValues: { ':openid': openid, ':appid': appid },
        }),
      ),
    );
    return usersAsTheyAre(Items);
  }

  async function findByGuard(appid: string, openid: string): Promise<User | undefined> {
    const guard = await getItem(table, openidGuardKey(appid, openid));
    return guard && findByUserId(String(guard.user_id));
  }

  const findByUnionid = (unionid: string): Promise<User[]> => findAnywhere('unionid = :wanted', unionid);
  const findByPhone = (e164: string): Promise<User[]> => findAnywhere('phone.e164 = :wanted', e164);

  async function findAnywhere(FilterExpression: string, wanted: string): Promise<User[]> {
    const scan = { TableName, FilterExpression, ExpressionAttributeValues: { ':wanted': wanted } };
    return usersAsTheyAre(
      await everyItem((ExclusiveStartKey) => client.send(new ScanCommand({ ...scan, ExclusiveStartKey }))),
    );
  }

  /** Read again one by one: indexes and scans still show what was erased a moment ago. */
  async function usersAsTheyAre(items: readonly Item[]): Promise<User[]> {
    const users = await Promise.all(items.map((item) => findByUserId(String(item[PARTITION_KEY]))));
    return users.filter((user) => user !== undefined);
  }

  async function changesOf(userId: string): Promise<readonly RecordedChange[]> {
    return changesFromItem(await getItem(table, changesKey(userId)));
  }

  async function closing(until?: number): Promise<readonly User[]> {
    // A ban does not keep the data of somebody who has cancelled.
    const statuses: readonly UserStatus[] = ['closing', 'banned'];
    const items = await Promise.all(statuses.map((status) => closingWith(status, until)));
    const users = await usersAsTheyAre(items.flat());
    return users
      .filter(({ closesAt }) => closesAt !== undefined)
      .sort((one, other) => (one.closesAt ?? 0) - (other.closesAt ?? 0));
  }

  function closingWith(status: UserStatus, until?: number): Promise<Item[]> {
    const inTime = until === undefined ? '' : ` AND ${closingIndex.sortKey} <= :until`;
    const query = {
      TableName,
      IndexName: closingIndex.name,
      KeyConditionExpression: `#status = :status${inTime}`,
      ExpressionAttributeNames: { '#status': closingIndex.partitionKey },
      ExpressionAttributeValues: { ':status': status, ':until': until },
    };
    return everyItem((ExclusiveStartKey) => client.send(new QueryCommand({ ...query, ExclusiveStartKey })));
  }

  async function exportUser(userId: string): Promise<UserExport | undefined> {
    const user = await getUserItem(table, userId);
    if (user === undefined) return undefined;
    const guard = await getItem(table, guardKeyOf(user));
    return {
      user,
      ...(guard?.user_id === userId && { openid_guard: guard }),
      changes: (await changesOf(userId)).map(({ by: _, ...change }) => change),
    };
  }

  return {
    findByUserId,
    findByOpenid,
    findByGuard,
    findByUnionid,
    findByPhone,
    changesOf,
    closing,
    exportUser,
  };
}

/** The items of all pages of a scan or query. */
async function everyItem(
  read: (startKey: Item | undefined) => Promise<Pick<ScanCommandOutput, 'Items' | 'LastEvaluatedKey'>>,
): Promise<Item[]> {
  const found: Item[] = [];
  let startKey: Item | undefined;
  do {
    const page = await answered(read(startKey));
    found.push(...(page.Items ?? []));
    startKey = page.LastEvaluatedKey;
  } while (startKey !== undefined);
  return found;
}
