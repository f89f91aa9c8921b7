/** What is done about a user and recorded, by operators, by the members themselves, and by WeChat. */
import { type Clock, unixSeconds } from '../contracts/clock.ts';
import { PARTITION_KEY, type UserStatus } from '../contracts/table.ts';
import { DomainError } from '../errors/domain-error.ts';
import type { Revocations } from '../tokens/revocations.ts';
import { createErasure, type Erasure } from './erasure.ts';
import type { UsersTable } from './items.ts';
import { type Order, type RecordedChange, recording } from './recorded-changes.ts';
import { restoreUser } from './restoration.ts';
import { createUserSearch, type UserSearch } from './search.ts';
import { IS_USER } from './user.ts';
import { type TransactItem, writeAll } from './writes.ts';

interface AdministrationOptions extends UsersTable {
  readonly now: Clock;
  readonly revocations: Pick<Revocations, 'revokeAllTokens'>;
}

/**
 * An operator's view of the users. A change resolves to whether there was such a user; it is recorded together with
 * who ordered it, and nothing is recorded without a user. All throw DomainError `unavailable` when DynamoDB is in
 * trouble.
 */
export interface Administration extends UserSearch, Erasure {
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
   * @throws DomainError `user_banned`; `unavailable` also when it was restored at the same moment
   */
  close(userId: string, closesAt: number, order: Order): Promise<number | undefined>;
  /** Opens a closed account again. False also when it was not closed. */
  restore(userId: string, order: Order): Promise<boolean>;
  /** Empties members of the profile, and unbinds the phone number. */
  clear(
    userId: string,
    members: readonly ('username' | 'avatar' | 'phone')[],
    order: Order,
  ): Promise<boolean>;
}

export function createAdministration(options: AdministrationOptions): Administration {
  const { client, tableName: TableName, now, revocations } = options;
  const search = createUserSearch(options);

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
    const user = await search.findByUserId(userId);
    if (user?.status === 'banned') throw new DomainError('user_banned');
    if (user?.status === 'active')
      throw new DomainError('unavailable', { reason: 'the account was restored while it was being closed' });
    return user?.closesAt;
  }

  const restore = (userId: string, order: Order): Promise<boolean> => restoreUser(options, userId, order);

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

  function record(what: RecordedChange['what'], userId: string, { by, reason }: Order): TransactItem {
    return recording(TableName, userId, { at: unixSeconds(now), what, by, reason });
  }

  const write = (items: TransactItem[]): Promise<'written' | number> => writeAll(client, items);

  return { ...search, ...createErasure(options), ban, unban, revoke, close, restore, clear };
}
