/**
 * What recently exchanged codes resolved to, so that a code that arrives twice (lost answer, double tap) logs the
 * same user in although WeChat accepts every code only once.
 */
import { setTimeout as realSleep } from 'node:timers/promises';
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as v from 'valibot';
import { answered } from '../aws/unavailable.ts';
import { PARTITION_KEY, spentCodeKey, TTL_ATTRIBUTE } from '../contracts/table.ts';

/** A code of `wx.login` and the mini-program it came from. */
export interface ArrivedCode {
  readonly appid: string;
  readonly code: string;
}

/** What WeChat answered for a code. */
export interface ResolvedCode {
  readonly openid: string;
  readonly unionid?: string;
}

/** What {@link createSpentCodes} works with. */
export interface SpentCodesOptions {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  /** How long a code that arrives twice logs the same user in; 0 turns all of this off. */
  readonly windowSeconds: number;
  /** Current Unix time in milliseconds. */
  readonly now: () => number;
  /** Waits milliseconds. Default: for real. */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** Records of exchanged codes; of a code only its hash is kept. All throw DomainError `unavailable`. */
export interface SpentCodes {
  /** Keeps what a code resolved to for the window. */
  remember(arrived: ArrivedCode, resolved: ResolvedCode): Promise<void>;
  /** What a code resolved to within the window, or undefined. */
  recall(arrived: ArrivedCode): Promise<ResolvedCode | undefined>;
  /**
   * For a code WeChat calls used: {@link recall}, and while there is no record, again for two and a half seconds: the twin
   * request that used it up may still be waiting for WeChat's answer.
   */
  awaitTwin(arrived: ArrivedCode): Promise<ResolvedCode | undefined>;
}

/** Growing, because most twins are just about to finish; two and a half seconds in total. */
const PAUSES_MS = [50, 100, 150, 200, 300, 400, 600, 700];

const spentCodeItem = v.object({
  resolved_openid: v.pipe(v.string(), v.minLength(1)),
  resolved_unionid: v.optional(v.string()),
  [TTL_ATTRIBUTE]: v.number(),
});

/** Creates {@link SpentCodes} on a table of the shape in `table.ts`. */
export function createSpentCodes(options: SpentCodesOptions): SpentCodes {
  const { client, tableName: TableName, windowSeconds, now, sleep = realSleep } = options;
  const unixSeconds = (): number => Math.floor(now() / 1000);

  async function remember({ appid, code }: ArrivedCode, resolved: ResolvedCode): Promise<void> {
    if (windowSeconds === 0) return;
    // Not named openid and unionid: this item must stay out of the index users are found by.
    const Item = {
      [PARTITION_KEY]: spentCodeKey(appid, code),
      resolved_openid: resolved.openid,
      resolved_unionid: resolved.unionid,
      [TTL_ATTRIBUTE]: unixSeconds() + windowSeconds,
    };
    await answered(client.send(new PutCommand({ TableName, Item })));
  }

  async function recall({ appid, code }: ArrivedCode): Promise<ResolvedCode | undefined> {
    if (windowSeconds === 0) return undefined;
    const Key = { [PARTITION_KEY]: spentCodeKey(appid, code) };
    const { Item } = await answered(client.send(new GetCommand({ TableName, Key, ConsistentRead: true })));
    const result = v.safeParse(spentCodeItem, Item);
    // DynamoDB deletes expired items lazily, up to days later.
    if (!result.success || result.output[TTL_ATTRIBUTE] <= unixSeconds()) return undefined;
    const { resolved_openid: openid, resolved_unionid: unionid } = result.output;
    return { openid, ...(unionid !== undefined && { unionid }) };
  }

  async function awaitTwin(arrived: ArrivedCode): Promise<ResolvedCode | undefined> {
    if (windowSeconds === 0) return undefined;
    for (const ms of PAUSES_MS) {
      const resolved = await recall(arrived);
      if (resolved !== undefined) return resolved;
      await sleep(ms);
    }
    return recall(arrived);
  }

  return { remember, recall, awaitTwin };
}
