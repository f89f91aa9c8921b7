/** A login's user: found in the index, or created exactly once however many first logins run at the same time. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ConditionalCheckFailedException,
  TransactionCanceledException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { answered, asUnavailable } from '../aws/unavailable.ts';
import { type Clock, unixSeconds } from '../contracts/clock.ts';
import type { Profile } from '../contracts/http/profile.ts';
import { erasureKey, openidGuardKey, openidIndex, PARTITION_KEY, TTL_ATTRIBUTE } from '../contracts/table.ts';
import { REFRESHABLE_SECONDS } from '../contracts/token.ts';
import { DomainError } from '../errors/domain-error.ts';
import type { WechatIdentity } from '../wechat/identity.ts';
import { restoreUser } from './restoration.ts';
import { type User, userFromItem, userToItem } from './user.ts';

/** Whom WeChat knows by an openid in one of our mini-programs. */
interface MiniProgramIdentity extends WechatIdentity {
  readonly appid: string;
}

interface UsersOptions {
  /** Must drop `undefined` members. */
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly now: Clock;
  /**
   * Whether a login may store a name; asked about one that it would store and no other, and must not reject.
   * Default: every name.
   */
  readonly admitsName?: (identity: MiniProgramIdentity, name: string) => Promise<boolean>;
  /** A new user's id. Default: a random UUID. */
  readonly newId?: () => string;
}

/** The users of all mini-programs served here. */
export interface Users {
  /**
   * The user of an openid; a new one gets the profile, an existing one what is still empty in theirs.
   *
   * Right after an erasure the index can still show the erased user. A login that has nothing to write then finds them
   * once more, and the authorizer, which reads the table itself, denies their token.
   *
   * @throws DomainError `user_banned`; `account_closing` unless it is to be restored; `code_used` when the code is a repeated one and its user was erased a moment
   *   ago; `unavailable` when DynamoDB is in trouble.
   */
  findOrCreateUser(
    identity: MiniProgramIdentity,
    profile: Profile,
    options?: {
      /**
       * The identity is of an exchange before this request, and its login may have ended since: an existing user is
       * found and not written to, and nobody is made anew who was erased. Default: it is not.
       */
      readonly repeatedCode?: boolean;
      /** Opens the account again if the member has closed it. Default: the login is refused. */
      readonly restore?: boolean;
    },
  ): Promise<{ user: User; isNew: boolean }>;
  /**
   * The user with an id, or undefined. Read consistently: the client's next call after a first login is this one,
   * and it must not be told that the user does not exist.
   *
   * @throws DomainError `unavailable` when DynamoDB is in trouble.
   */
  findUser(userId: string): Promise<User | undefined>;
}

/**
 * `last_login_at` is this exact and no more, so that a usual login writes neither table nor index. A member can stay away
 * from logins for as long anyway, by refreshing the token.
 */
const LAST_LOGIN_PRECISION_SECONDS = REFRESHABLE_SECONDS;

/** Empty as `''` or 0, and kept under the same names. */
const profileMembers = ['username', 'sex', 'avatar'] as const;

const RESTORED_BY_LOGIN = { by: 'member', reason: 'the member logged in to restore the account' };

/** Rounds before giving up; the pauses between them add up to less than a second. */
const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 50;

export function createUsers(options: UsersOptions): Users {
  const { client, tableName: TableName, now, admitsName, newId = randomUUID } = options;

  async function findOrCreateUser(
    identity: MiniProgramIdentity,
    profile: Profile,
    {
      repeatedCode = false,
      restore = false,
    }: { readonly repeatedCode?: boolean; readonly restore?: boolean } = {},
  ): Promise<{ user: User; isNew: boolean }> {
    let admittedProfile: Promise<Profile> | undefined;
    const admitProfile = () => {
      admittedProfile ??= withAdmittedName(identity, profile);
      return admittedProfile;
    };
    let lookUp = findInIndex;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const known = await lookUp(identity);
      const returning =
        known &&
        (repeatedCode ? admitted(known) : await recordLogin(known, identity, profile, admitProfile, restore));
      if (returning) {
        // After the look-up: a user who came after an erasure is found only when its mark is there.
        if (repeatedCode && (await wasErased(identity))) throw erased();
        return { user: returning, isNew: false };
      }
      const created = await createUser(identity, await admitProfile(), repeatedCode);
      if (created) return { user: created, isNew: true };
      // Another login was first. The index may not show its user yet; the guard does.
      lookUp = findByGuard;
      if (attempt < ATTEMPTS) await pause(attempt);
    }
    throw new DomainError('unavailable', {
      reason: `no user after ${ATTEMPTS} attempts: a guard without its user, or transactions in conflict`,
    });
  }

  async function withAdmittedName(identity: MiniProgramIdentity, profile: Profile): Promise<Profile> {
    const { username } = profile;
    const admits = username === '' || admitsName === undefined || (await admitsName(identity, username));
    return admits ? profile : { ...profile, username: '' };
  }

  async function findUser(userId: string): Promise<User | undefined> {
    const item = await getItem(userId);
    return item && userFromItem(item);
  }

  /** Anything but one clear hit is left to the guard: after an erasure and a new login the index can show both users. */
  async function findInIndex({ openid, appid }: MiniProgramIdentity): Promise<User | undefined> {
    const { Items = [] } = await answered(
      client.send(
        new QueryCommand({
          TableName,
          IndexName: openidIndex.name,
          KeyConditionExpression: '#openid = :openid AND #appid = :appid',
          ExpressionAttributeNames: { '#openid': openidIndex.partitionKey, '#appid': openidIndex.sortKey },
          ExpressionAttributeValues: { ':openid': openid, ':appid': appid },
        }),
      ),
    );
    return Items.length === 1 ? userFromItem(Items[0]) : undefined;
  }

  async function findByGuard({ appid, openid }: MiniProgramIdentity): Promise<User | undefined> {
    const guard = await getItem(openidGuardKey(appid, openid));
    return guard && findUser(userIdOf(guard.user_id));
  }

  async function wasErased({ appid, openid }: MiniProgramIdentity): Promise<boolean> {
    const mark = await getItem(erasureKey(appid, openid));
    return mark !== undefined && Number(mark[TTL_ATTRIBUTE]) > unixSeconds(now);
  }

  async function getItem(key: string): Promise<Record<string, unknown> | undefined> {
    const { Item } = await answered(
      client.send(new GetCommand({ TableName, Key: { [PARTITION_KEY]: key }, ConsistentRead: true })),
    );
    return Item;
  }

  /**
   * The returning user as they are now; undefined when they were erased in the meantime, or are about to be, or when
   * their profile is no longer as empty, or their account no longer as closed, as it was found.
   */
  async function recordLogin(
    user: User,
    { unionid }: WechatIdentity,
    given: Profile,
    admitProfile: () => Promise<Profile>,
    restore: boolean,
  ): Promise<User | undefined> {
    if (restore && user.status === 'closing') {
      const restored = await restoreUser(options, user.userId, RESTORED_BY_LOGIN);
      return restored ? findUser(user.userId) : undefined;
    }
    admitted(user);
    const loginIsOld = unixSeconds(now) - user.lastLoginAt > LAST_LOGIN_PRECISION_SECONDS;
    const unionidIsNew = unionid !== undefined && user.unionid !== unionid;
    const profile = user.username === '' && given.username !== '' ? await admitProfile() : given;
    const filled = profileMembers.filter((member) => !user[member] && profile[member]);
    if (!loginIsOld && !unionidIsNew && filled.length === 0) return user;
    const set = ['last_login_at = :now', ...(unionidIsNew ? ['unionid = :unionid'] : [])];
    const filledWith = filled.map((member) => [`:${member}`, profile[member]]);
    const foundEmpty = filled.map((member) => [`:found_${member}`, user[member]]);
    try {
      const { Attributes } = await client.send(
        new UpdateCommand({
          TableName,
          Key: { [PARTITION_KEY]: user.userId },
          UpdateExpression: `SET ${[...set, ...filled.map((member) => `${member} = :${member}`)].join(', ')}`,
          ConditionExpression: [
            'attribute_exists(#pk)',
            ...filled.map((member) => `${member} = :found_${member}`),
          ].join(' AND '),
          ExpressionAttributeNames: { '#pk': PARTITION_KEY },
          ExpressionAttributeValues: {
            ':now': unixSeconds(now),
            ...(unionidIsNew && { ':unionid': unionid }),
            ...Object.fromEntries([...filledWith, ...foundEmpty]),
          },
          ReturnValues: 'ALL_NEW',
        }),
      );
      return admitted(userFromItem(Attributes));
    } catch (error) {
      const changed = error instanceof ConditionalCheckFailedException;
      const beingChanged = error instanceof TransactionConflictException;
      if (changed || beingChanged) return undefined;
      throw asUnavailable(error);
    }
  }

  /**
   * Creates user and guard together, or nothing: undefined when another login was first, or is under way. For a
   * repeated code the same transaction makes sure that no erasure came before.
   */
  async function createUser(
    { appid, openid, unionid }: MiniProgramIdentity,
    profile: Profile,
    repeatedCode: boolean,
  ): Promise<User | undefined> {
    const at = unixSeconds(now);
    const user: User = {
      userId: newId(),
      appid,
      openid,
      ...(unionid !== undefined && { unionid }),
      username: profile.username,
      sex: profile.sex,
      avatar: profile.avatar,
      status: 'active',
      createdAt: at,
      lastLoginAt: at,
    };
    const guard = { [PARTITION_KEY]: openidGuardKey(appid, openid), user_id: user.userId };
    const onlyIfAbsent = {
      TableName,
      ConditionExpression: 'attribute_not_exists(#pk)',
      ExpressionAttributeNames: { '#pk': PARTITION_KEY },
    };
    const notErased = {
      TableName,
      Key: { [PARTITION_KEY]: erasureKey(appid, openid) },
      ConditionExpression: `attribute_not_exists(#pk) OR ${TTL_ATTRIBUTE} <= :now`,
      ExpressionAttributeNames: { '#pk': PARTITION_KEY },
      ExpressionAttributeValues: { ':now': at },
    };
    try {
      await client.send(
        new TransactWriteCommand({
          TransactItems: [
            { Put: { ...onlyIfAbsent, Item: userToItem(user) } },
            { Put: { ...onlyIfAbsent, Item: guard } },
            ...(repeatedCode ? [{ ConditionCheck: notErased }] : []),
          ],
        }),
      );
      return user;
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw asUnavailable(error);
      if (error.CancellationReasons?.[2]?.Code === 'ConditionalCheckFailed') throw erased();
      if (isCollision(error)) return undefined;
      throw asUnavailable(error);
    }
  }

  return { findOrCreateUser, findUser };
}

function isCollision({ CancellationReasons = [] }: TransactionCanceledException): boolean {
  return CancellationReasons.some(
    ({ Code }) => Code === 'ConditionalCheckFailed' || Code === 'TransactionConflict',
  );
}

function erased(): DomainError {
  return new DomainError('code_used', { reason: 'the user was erased after the exchange of this code' });
}

function admitted(user: User): User {
  if (user.status === 'banned') throw new DomainError('user_banned');
  if (user.status === 'closing') throw new DomainError('account_closing');
  return user;
}

function userIdOf(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new Error('A guard item of the table has no user_id');
  return value;
}

/** Grows with the attempts, and differs between those who collided. */
async function pause(attempt: number): Promise<void> {
  await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1) * Math.random());
}
