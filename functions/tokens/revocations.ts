/**
 * Which tokens are revoked before they expire: those of one login by a mark, all of a user's by a date, and those of banned
 * and erased users.
 */
import { setTimeout as realSleep } from 'node:timers/promises';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  type BatchGetCommandOutput,
  type DynamoDBDocumentClient,
  PutCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import * as v from 'valibot';
import { answered, asUnavailable } from '../aws/unavailable.ts';
import { type Clock, unixSeconds } from '../contracts/clock.ts';
import { endedLoginKey, PARTITION_KEY, TTL_ATTRIBUTE } from '../contracts/table.ts';
import {
  CLOCK_TOLERANCE_SECONDS,
  MAX_TOKEN_LIFETIME_SECONDS,
  REFRESHABLE_SECONDS,
} from '../contracts/token.ts';
import { DomainError } from '../errors/domain-error.ts';

/** Whether a token that is otherwise valid still counts. */
export type TokenStatus = 'active' | 'token_revoked' | 'user_banned';

interface RevocationsOptions {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly now: Clock;
  /** Waits milliseconds. Default: a real timer. */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** A login, as far as it decides whether its tokens count. */
interface Login {
  /** What `loginIdOf` says of its tokens. */
  readonly loginId: string;
  readonly userId: string;
  /** Unix seconds at which it began. */
  readonly authTime: number;
}

/** Revokes tokens and tells which are. All throw DomainError `unavailable` when DynamoDB is in trouble. */
export interface Revocations {
  /** Voids every token of one login, those that are still to be refreshed from them too. */
  endLogin(login: Omit<Login, 'userId'>): Promise<void>;
  /**
   * Voids every token of the logins of a user until now, and none of a login that begins after this has resolved;
   * takes up to a second. A user who is gone has no valid token, so for them there is nothing to do.
   */
  revokeAllTokens(userId: string): Promise<void>;
  /**
   * Whether the tokens of a login still count, as of this moment. Those of a user who is gone are revoked.
   *
   * @throws DomainError `unavailable` when DynamoDB does not say: that is neither a valid nor a revoked token
   */
  statusOf(login: Login): Promise<TokenStatus>;
}

/** Pauses before DynamoDB is read again for the items it left out; the request waits for all of them. */
const UNPROCESSED_PAUSES_MS = [25, 50, 100];

/** The mark outlives the last token: one refreshed at the last moment, and what verifiers forgive after its `exp`. */
const LONGEST_LOGIN_SECONDS = REFRESHABLE_SECONDS + MAX_TOKEN_LIFETIME_SECONDS + CLOCK_TOLERANCE_SECONDS;

const userState = v.object({
  status: v.picklist(['active', 'banned', 'closing']),
  tokens_valid_after: v.optional(v.number()),
});

export function createRevocations(options: RevocationsOptions): Revocations {
  const { client, tableName: TableName, now, sleep = realSleep } = options;

  async function endLogin({ loginId, authTime }: Omit<Login, 'userId'>): Promise<void> {
    const Item = {
      [PARTITION_KEY]: endedLoginKey(loginId),
      [TTL_ATTRIBUTE]: authTime + LONGEST_LOGIN_SECONDS,
    };
    await answered(client.send(new PutCommand({ TableName, Item })));
  }

  /**
   * Tokens count whole seconds, so logins before and after this call within one second look alike. The date is
   * therefore the next second, which revokes all of them, and this call waits until that second has begun, so that a
   * login that follows it is valid at once.
   */
  async function revokeAllTokens(userId: string): Promise<void> {
    const validAfter = unixSeconds(now) + 1;
    try {
      await client.send(
        new UpdateCommand({
          TableName,
          Key: { [PARTITION_KEY]: userId },
          UpdateExpression: 'SET tokens_valid_after = :validAfter',
          // A clock that is behind, or a date set further ahead, must not bring a revoked token back.
          ConditionExpression:
            'attribute_exists(#pk) AND (attribute_not_exists(tokens_valid_after) OR tokens_valid_after < :validAfter)',
          ExpressionAttributeNames: { '#pk': PARTITION_KEY },
          ExpressionAttributeValues: { ':validAfter': validAfter },
        }),
      );
    } catch (error) {
      // The user is gone, or a later date stands already: either way all their tokens are revoked.
      if (!(error instanceof ConditionalCheckFailedException)) throw asUnavailable(error);
    }
    const wait = (): number => validAfter * 1000 - now();
    // More than a second is left only when the clock was set back meanwhile, and nobody waits for that.
    for (let ms = wait(); ms > 0 && ms <= 1_000; ms = wait()) await sleep(ms);
  }

  async function statusOf({ loginId, userId, authTime }: Login): Promise<TokenStatus> {
    const mark = endedLoginKey(loginId);
    const items = await readTogether([mark, userId]);
    const user = items.get(userId);
    // Banned comes first: it is the reason that lasts.
    if (user === undefined) return 'token_revoked';
    const { status, tokens_valid_after: validAfter } = stateFrom(user);
    if (status === 'banned') return 'user_banned';
    if (status === 'closing') return 'token_revoked';
    // Not `iat`: a refresh that was under way during the revocation would carry the old login across it.
    const loggedInBefore = validAfter !== undefined && authTime < validAfter;
    return items.has(mark) || loggedInBefore ? 'token_revoked' : 'active';
  }

  /** One round trip, consistent: a logout or ban of a moment ago counts. */
  async function readTogether(keys: readonly string[]): Promise<Map<unknown, Record<string, unknown>>> {
    const found = new Map<unknown, Record<string, unknown>>();
    let RequestItems: BatchGetCommandOutput['UnprocessedKeys'] = {
      [TableName]: {
        Keys: keys.map((key) => ({ [PARTITION_KEY]: key })),
        ConsistentRead: true,
        ProjectionExpression: '#pk, #status, tokens_valid_after',
        ExpressionAttributeNames: { '#pk': PARTITION_KEY, '#status': 'status' },
      },
    };
    for (const pause of [0, ...UNPROCESSED_PAUSES_MS]) {
      if (pause > 0) await sleep(pause);
      const response: BatchGetCommandOutput = await answered(
        client.send(new BatchGetCommand({ RequestItems })),
      );
      for (const item of response.Responses?.[TableName] ?? []) found.set(item[PARTITION_KEY], item);
      RequestItems = response.UnprocessedKeys;
      if (Object.keys(RequestItems ?? {}).length === 0) return found;
    }
    throw new DomainError('unavailable', { reason: 'DynamoDB left a revocation read unfinished' });
  }

  return { endLogin, revokeAllTokens, statusOf };
}

function stateFrom(item: unknown): v.InferOutput<typeof userState> {
  const result = v.safeParse(userState, item);
  // Without the values: they are someone's.
  if (!result.success) throw new Error('A user item of the table is damaged: status or tokens_valid_after');
  return result.output;
}
