/** Writes that others can be in the way of for a moment: they are made again until they come through. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ConditionalCheckFailedException,
  TransactionCanceledException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  TransactWriteCommand,
  type TransactWriteCommandInput,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { asUnavailable } from '../aws/unavailable.ts';

/** One item of a transaction. */
export type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/** A login of the same moment can be in the way; these pauses outlast it. */
const CONFLICT_PAUSES_MS = [50, 100, 200, 400];

/**
 * Writes all or nothing; if nothing, gives the position of the first item whose condition did not hold.
 *
 * @throws DomainError `unavailable`
 */
export async function writeAll(
  client: DynamoDBDocumentClient,
  TransactItems: TransactItem[],
): Promise<'written' | number> {
  for (let attempt = 0; ; attempt++) {
    try {
      await client.send(new TransactWriteCommand({ TransactItems }));
      return 'written';
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw asUnavailable(error);
      const codes = (error.CancellationReasons ?? []).map(({ Code }) => Code);
      const refused = codes.indexOf('ConditionalCheckFailed');
      if (refused >= 0) return refused;
      if (!codes.includes('TransactionConflict')) throw asUnavailable(error);
      await pauseAfter(attempt, error);
    }
  }
}

/**
 * Updates one item; resolves to what it is then, or undefined when the condition did not hold.
 *
 * @throws DomainError `unavailable`
 */
export async function update(
  client: DynamoDBDocumentClient,
  input: Omit<UpdateCommandInput, 'ReturnValues'>,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  for (let attempt = 0; ; attempt++) {
    try {
      const { Attributes } = await client.send(new UpdateCommand({ ...input, ReturnValues: 'ALL_NEW' }));
      return Attributes;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      if (!(error instanceof TransactionConflictException)) throw asUnavailable(error);
      await pauseAfter(attempt, error);
    }
  }
}

async function pauseAfter(attempt: number, error: Error): Promise<void> {
  const pause = CONFLICT_PAUSES_MS[attempt];
  if (pause === undefined) throw asUnavailable(error);
  await sleep(pause);
}
