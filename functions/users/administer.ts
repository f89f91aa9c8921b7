/** What is done about a user and recorded, by operators, by the members themselves, and by WeChat. */
import { type DynamoDBDocumentClient, GetCommand, QueryCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { answered } from '../aws/unavailable.ts';
import { type Clock, unixSeconds } from '../contracts/clock.ts';
import {
  changesKey,
  closingIndex,
  ERASURE_MARK_SECONDS,
  erasureKey,
  openidGuardKey,
  openidIndex,
  PARTITION_KEY,
  TTL_ATTRIBUTE,
  type UserStatus,
} from '../contracts/table.ts';
import { DomainError } from '../errors/domain-error.ts';
import type { Revocations } from '../tokens/revocations.ts';
import { changesFromItem, type RecordedChange, recording } from './recorded-changes.ts';
import { restoration } from './restoration.ts';
import { IS_USER, type User, userFromItem } from './user.ts';
import { type TransactItem, writeAll } from './writes.ts';

interface AdministrationOptions {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly now: Clock;
  readonly revocations: Pick<Revocations, 'revokeAllTokens'>;
}

/** Who orders a change, and why. */
type Order = Pick<RecordedChange, 'by' | 'reason'>;

/** Everything held about a user, attributes as they are stored. */
export interface UserExport {
  readonly user: Item;
  /** What makes their openid unique; absent when it is another user's. */
  readonly openid_guard?: Item;
  /** Without who ordered them: that is personal data of somebody else. */
  readonly changes: readonly Omit<RecordedChange, 'by'>[];
}

type Item = Readonly<Record<string, unknown>>;

/**
 * An operator's view of the users. A change resolves to whether there was such a user; it is recorded together with
 * who ordered it, and nothing is recorded without a user. All throw DomainError `unavailable` when DynamoDB is in
 * trouble.
 */
export interface Administration {
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
  /** Refuses the user's logins and, wherever tokens are checked against the table, all tokens of before, for good. */
  ban(userId: string, order: Order): Promise<boolean>;
  /** Takes a ban back: the user may log in again. Tokens of before the ban stay revoked. */
  unban(userId: string, order: Order): Promise<boolean>;
  /** Revokes all tokens of the user; recorded first, so that no revocation is without its record. */
  revoke(userId: string, order: Order): Promise<boolean>;
  /**
   * Closes the account until it is erased: ends every login, and takes up to a second for it. Resolves to when it is to
   * be erased, which is earlier when it was closed before; undefined without a user.
   *
   * @throws DomainError `user_banned`
   */
  close(userId: string, closesAt: number, order: Order): Promise<number | undefined>;
  /** Opens a closed account again. False also when it was not closed. */
  restore(userId: string, order: Order): Promise<boolean>;
  /** The closed accounts, the next to be erased first; with `until` (Unix seconds) those that are to be erased by then. */
  closing(until?: number): Promise<readonly User[]>;
  /** Empties members of the profile, and unbinds the phone number. */
  clear(
    userId: string,
    members: readonly ('username' | 'avatar' | 'phone')[],
    order: Order,
  ): Promise<boolean>;
  /** Removes the user with all personal data. A later login of the same openid is a new user with a new id. */
  erase(userId: string, order: Order): Promise<boolean>;
  /** Erases the closed accounts whose time has come; resolves to how many, and to what was thrown by those that failed. */
  eraseDue(order: Order): Promise<{ readonly erased: number; readonly failures: readonly unknown[] }>;
  exportUser(userId: string): Promise<UserExport | undefined>;
}

export function createAdministration(options: AdministrationOptions): Administration {
  const { client, tableName: TableName, now, revocations } = options;

  async function findByUserId(userId: string): Promise<User | undefined> {
    const item = await getUserItem(userId);
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
    const guard = await getItem(openidGuardKey(appid, openid));
    return guard && findByUserId(String(guard.user_id));
  }

  const findByUnionid = (unionid: string): Promise<User[]> => findAnywhere('unionid = :wanted', unionid);
  const findByPhone = (e164: string): Promise<User[]> => findAnywhere('phone.e164 = :wanted', e164);

  async function findAnywhere(FilterExpression: string, wanted: string): Promise<User[]> {
    const found: Item[] = [];
    let ExclusiveStartKey: Record<string, unknown> | undefined;
    do {
      const page = await answered(
        client.send(
          new ScanCommand({
            TableName,
            FilterExpression,
            ExpressionAttributeValues: { ':wanted': wanted },
            ExclusiveStartKey,
          }),
        ),
      );
      found.push(...(page.Items ?? []));
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey !== undefined);
    return usersAsTheyAre(found);
  }

  /** Read again one by one: indexes and scans still show what was erased a moment ago. */
  async function usersAsTheyAre(items: readonly Item[]): Promise<User[]> {
    const users = await Promise.all(items.map((item) => findByUserId(String(item[PARTITION_KEY]))));
    return users.filter((user) => user !== undefined);
  }

  async function changesOf(userId: string): Promise<readonly RecordedChange[]> {
    return changesFromItem(await getItem(changesKey(userId)));
  }

  async function ban(userId: string, order: Order): Promise<boolean> {
    const banned = await setStatus(userId, 'banned', record('ban', userId, order));
    // Otherwise the end of the ban would bring their tokens back.
    if (banned) await revocations.revokeAllTokens(userId);
    return banned;
  }

  async function unban(userId: string, order: Order): Promise<boolean> {
    const recorded = record('unban', userId, order);
    return (
      (await setStatus(userId, 'active', recorded, 'attribute_not_exists(closes_at)')) ||
      // Whoever had closed their account before the ban has not taken that back.
      (await setStatus(userId, 'closing', recorded, 'attribute_exists(closes_at)'))
    );
  }

  async function setStatus(
    userId: string,
    status: UserStatus,
    recorded: TransactItem,
    condition = IS_USER,
  ): Promise<boolean> {
    const update = {
      TableName,
      Key: { [PARTITION_KEY]: userId },
      UpdateExpression: 'SET #status = :status',
      ConditionExpression: `${IS_USER} AND ${condition}`,
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':status': status },
    };
    return (await write([{ Update: update }, recorded])) === 'written';
  }

  async function close(userId: string, closesAt: number, order: Order): Promise<number | undefined> {
    // First, so that a restored account has no login of before.
    await revocations.revokeAllTokens(userId);
    const update = {
      TableName,
      Key: { [PARTITION_KEY]: userId },
      UpdateExpression: 'SET #status = :closing, closes_at = :closesAt',
      ConditionExpression: `${IS_USER} AND #status = :active`,
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':closing': 'closing', ':active': 'active', ':closesAt': closesAt },
    };
    if ((await write([{ Update: update }, record('close', userId, order)])) === 'written') return closesAt;
    const user = await findByUserId(userId);
    if (user?.status === 'banned') throw new DomainError('user_banned');
    return user?.closesAt;
  }

  async function restore(userId: string, order: Order): Promise<boolean> {
    const update = { TableName, Key: { [PARTITION_KEY]: userId }, ...restoration };
    return (await write([{ Update: update }, record('restore', userId, order)])) === 'written';
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

  async function closingWith(status: UserStatus, until?: number): Promise<Item[]> {
    const inTime = until === undefined ? '' : ` AND ${closingIndex.sortKey} <= :until`;
    const found: Item[] = [];
    let ExclusiveStartKey: Record<string, unknown> | undefined;
    do {
      const page = await answered(
        client.send(
          new QueryCommand({
            TableName,
            IndexName: closingIndex.name,
            KeyConditionExpression: `#status = :status${inTime}`,
            ExpressionAttributeNames: { '#status': closingIndex.partitionKey },
            ExpressionAttributeValues: { ':status': status, ':until': until },
            ExclusiveStartKey,
          }),
        ),
      );
      found.push(...(page.Items ?? []));
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey !== undefined);
    return found;
  }

  async function clear(
    userId: string,
    members: readonly ('username' | 'avatar' | 'phone')[],
    order: Order,
  ): Promise<boolean> {
    const emptied = members.filter((member) => member !== 'phone').map((member) => `${member} = :empty`);
    const update = {
      TableName,
      Key: { [PARTITION_KEY]: userId },
      UpdateExpression: [
        ...(emptied.length > 0 ? [`SET ${emptied.join(', ')}`] : []),
        ...(members.includes('phone') ? ['REMOVE phone'] : []),
      ].join(' '),
      ConditionExpression: IS_USER,
      ...(emptied.length > 0 && { ExpressionAttributeValues: { ':empty': '' } }),
    };
    return (await write([{ Update: update }, record('clear', userId, order)])) === 'written';
  }

  async function revoke(userId: string, order: Order): Promise<boolean> {
    const check = { TableName, Key: { [PARTITION_KEY]: userId }, ConditionExpression: IS_USER };
    const written = await write([{ ConditionCheck: check }, record('revoke', userId, order)]);
    if (written !== 'written') return false;
    await revocations.revokeAllTokens(userId);
    return true;
  }

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
    const item = await getUserItem(userId);
    if (item === undefined) return false;
    const user = { TableName, Key: { [PARTITION_KEY]: userId }, ...condition };
    const guard = {
      TableName,
      Key: { [PARTITION_KEY]: guardKeyOf(item) },
      ConditionExpression: 'user_id = :userId',
      ExpressionAttributeValues: { ':userId': userId },
    };
    const userAndRecord = [{ Delete: user }, record('erase', userId, order), erasureMark(item)];
    let outcome = await write([...userAndRecord, { Delete: guard }]);
    // There is no guard, or it is another user's and stays.
    if (outcome === userAndRecord.length) outcome = await write(userAndRecord);
    return outcome === 'written';
  }

  async function exportUser(userId: string): Promise<UserExport | undefined> {
    const user = await getUserItem(userId);
    if (user === undefined) return undefined;
    const guard = await getItem(guardKeyOf(user));
    return {
      user,
      ...(guard?.user_id === userId && { openid_guard: guard }),
      changes: (await changesOf(userId)).map(({ by: _, ...change }) => change),
    };
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

  function record(what: RecordedChange['what'], userId: string, { by, reason }: Order): TransactItem {
    return recording(TableName, userId, { at: unixSeconds(now), what, by, reason });
  }

  async function getUserItem(userId: string): Promise<Item | undefined> {
    const item = await getItem(userId);
    const isUser = item?.[openidIndex.partitionKey] !== undefined && item[openidIndex.sortKey] !== undefined;
    return isUser ? item : undefined;
  }

  async function getItem(key: string): Promise<Item | undefined> {
    const { Item } = await answered(
      client.send(new GetCommand({ TableName, Key: { [PARTITION_KEY]: key }, ConsistentRead: true })),
    );
    return Item;
  }

  const write = (items: TransactItem[]): Promise<'written' | number> => writeAll(client, items);

  return {
    findByUserId,
    findByOpenid,
    findByGuard,
    findByUnionid,
    findByPhone,
    changesOf,
    ban,
    unban,
    revoke,
    close,
    restore,
    closing,
    clear,
    erase,
    eraseDue,
    exportUser,
  };
}

function guardKeyOf(user: Item): string {
  return openidGuardKey(appidOf(user), openidOf(user));
}

const appidOf = (user: Item): string => String(user[openidIndex.sortKey]);
const openidOf = (user: Item): string => String(user[openidIndex.partitionKey]);
