/**
 * Marks in the users table by which a push message acts once and a signature serves once, however often WeChat or
 * somebody else sends them.
 */
import { randomUUID } from 'node:crypto';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { answered, asUnavailable } from '../aws/unavailable.ts';
import { type Clock, unixSeconds } from '../contracts/clock.ts';
import { PARTITION_KEY, pushMarkKey, TTL_ATTRIBUTE } from '../contracts/table.ts';
import { DomainError } from '../errors/domain-error.ts';
import { SIGNED_WITHIN_SECONDS } from './time-window.ts';

/** All throw DomainError `unavailable`. */
export interface PushMarks {
  /**
   * Whether a signature may serve for `use`: it did not serve yet, or for the same.
   *
   * @param use a hash of everything that is to come of it
   */
  mayServe(signature: string, use: string): Promise<boolean>;
  /**
   * Acts, unless that was done for the same identity within a day. What fails may be tried again.
   *
   * @throws DomainError `unavailable` also while another call acts for this identity; and what `act` throws.
   */
  once(identity: string, act: () => Promise<void>): Promise<'acted' | 'repeated'>;
}

/** A signature is good for as long before and after its timestamp. */
const SIGNATURE_SECONDS = 2 * SIGNED_WITHIN_SECONDS + 60;
/** WeChat's repetitions come within seconds; later ones would need a new signature of WeChat's. */
const DONE_SECONDS = 24 * 3600;
/** When an environment dies while it acts, WeChat's next try, five seconds after the first, may act again. */
const ACTING_SECONDS = 4;

const DONE = 'done';

/** Creates {@link PushMarks} on a table of the shape in `contracts/table.ts`. */
export function createPushMarks(options: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly now: Clock;
}): PushMarks {
  const { client, tableName: TableName, now } = options;

  const markOf = (key: string, says: string, seconds: number) => ({
    [PARTITION_KEY]: pushMarkKey(key),
    says,
    [TTL_ATTRIBUTE]: unixSeconds(now) + seconds,
  });

  /** Sets a mark where there is none, and resolves to what the mark says that stands then. */
  async function claim(key: string, says: string, seconds: number): Promise<string | undefined> {
    try {
      await client.send(
        new PutCommand({
          TableName,
          Item: markOf(key, says, seconds),
          // DynamoDB deletes expired items lazily, up to days later.
          ConditionExpression: 'attribute_not_exists(#pk) OR #expiresAt <= :now',
          ExpressionAttributeNames: { '#pk': PARTITION_KEY, '#expiresAt': TTL_ATTRIBUTE },
          ExpressionAttributeValues: { ':now': unixSeconds(now) },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
      return says;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return error.Item?.says?.S;
      throw asUnavailable(error);
    }
  }

  /** Best effort: otherwise the claim ends by itself. */
  async function release(key: string, claimed: string): Promise<void> {
    const Key = { [PARTITION_KEY]: pushMarkKey(key) };
    const ConditionExpression = 'says = :claimed';
    const ExpressionAttributeValues = { ':claimed': claimed };
    await client
      .send(new DeleteCommand({ TableName, Key, ConditionExpression, ExpressionAttributeValues }))
      .catch(() => {});
  }

  return {
    async mayServe(signature, use) {
      return (await claim(signature, use, SIGNATURE_SECONDS)) === use;
    },

    async once(identity, act) {
      // Its own name for the claim, because the SDK repeats a write whose response was lost.
      const claimed = randomUUID();
      const standing = await claim(identity, claimed, ACTING_SECONDS);
      if (standing === DONE) return 'repeated';
      if (standing !== claimed)
        throw new DomainError('unavailable', { reason: 'another call acts on the same push message' });
      try {
        await act();
      } catch (error) {
        await release(identity, claimed);
        throw error;
      }
      await answered(client.send(new PutCommand({ TableName, Item: markOf(identity, DONE, DONE_SECONDS) })));
      return 'acted';
    },
  };
}
