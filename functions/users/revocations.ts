/** Which tokens are void before they expire: all of a user's, by a date. */
import { setTimeout as realSleep } from 'node:timers/promises';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { asUnavailable } from '../aws/unavailable.ts';
import { PARTITION_KEY } from './table.ts';

/** What {@link createRevocations} works with. */
export interface RevocationsOptions {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  /** Current Unix time in milliseconds. */
  readonly now: () => number;
  /** Waits milliseconds. Default: for real. */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** Revokes tokens. All throw DomainError `unavailable` when DynamoDB is in trouble. */
export interface Revocations {
  /**
   * Voids every token that was issued to a user until this resolves, and none that is issued after; takes up to a
   * second. A user who is gone has no valid token, so for them there is nothing to do.
   */
  revokeAllTokens(userId: string): Promise<void>;
}

/** Creates {@link Revocations} on a table of the shape in `table.ts`. */
export function createRevocations(options: RevocationsOptions): Revocations {
  const { client, tableName: TableName, now, sleep = realSleep } = options;

  async function revokeAllTokens(userId: string): Promise<void> {
    const validAfter = Math.floor(now() / 1000) + 1;
    try {
      await client.send(
        new UpdateCommand({
          TableName,
          Key: { [PARTITION_KEY]: userId },
          UpdateExpression: 'SET tokens_valid_after = :validAfter',
          ConditionExpression:
            'attribute_exists(#pk) AND (attribute_not_exists(tokens_valid_after) OR tokens_valid_after < :validAfter)',
          ExpressionAttributeNames: { '#pk': PARTITION_KEY },
          ExpressionAttributeValues: { ':validAfter': validAfter },
        }),
      );
    } catch (error) {
      // The user is gone, or a later date stands already: either way all their tokens are void.
      if (!(error instanceof ConditionalCheckFailedException)) throw asUnavailable(error);
    }
    while (now() < validAfter * 1000) await sleep(validAfter * 1000 - now());
  }

  return { revokeAllTokens };
}
