/**
 * What recently exchanged codes resolved to, so that a code that arrives twice (lost response, double tap) logs the
 * same user in although WeChat accepts every code only once.
 */
import { setTimeout as realSleep } from 'node:timers/promises';
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as v from 'valibot';
import { answered } from '../aws/unavailable.ts';
import { type Clock, unixSeconds } from '../contracts/clock.ts';
import { nonEmptyText } from '../contracts/schemas.ts';
import { PARTITION_KEY, spentCodeKey, TTL_ATTRIBUTE } from '../contracts/table.ts';
import type { WechatIdentity } from '../wechat/identity.ts';

/** A code of `wx.login` and the mini-program it came from. */
export interface ArrivedCode {
  readonly appid: string;
  readonly code: string;
}

interface SpentCodesOptions {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  /** How long a code that arrives twice logs the same user in; 0 turns all of this off. */
  readonly windowSeconds: number;
  readonly now: Clock;
  /** Waits milliseconds. Default: a real timer. */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** Records of exchanged codes; of a code only its hash is kept. All throw DomainError `unavailable`. */
export interface SpentCodes {
  /** Keeps what a code resolved to for the window. */
  remember(arrived: ArrivedCode, identity: WechatIdentity): Promise<void>;
  /** What a code resolved to within the window, or undefined. */
  recall(arrived: ArrivedCode): Promise<WechatIdentity | undefined>;
  /**
   * For a code WeChat calls used: {@link recall}, and while there is no record, again for two and a half seconds: the twin
   * request that used it up may still be waiting for WeChat's answer.
   */
  awaitTwin(arrived: ArrivedCode): Promise<WechatIdentity | undefined>;
}

/** Growing, because most twins are just about to finish; two and a half seconds in total. */
const PAUSES_MS = [50, 100, 150, 200, 300, 400, 600, 700];

const spentCodeItem = v.object({
  resolved_openid: nonEmptyText,
  resolved_unionid: v.optional(v.string()),
  [TTL_ATTRIBUTE]: v.number(),
});

export function createSpentCodes(options: SpentCodesOptions): SpentCodes {
  const { client, tableName: TableName, windowSeconds, now, sleep = realSleep } = options;

  async function remember({ appid, code }: ArrivedCode, { openid, unionid }: WechatIdentity): Promise<void> {
    if (windowSeconds === 0) return;
    // Not named openid and unionid: this item must stay out of the index users are found by.
    const Item = {
      [PARTITION_KEY]: spentCodeKey(appid, code),
      resolved_openid: openid,
      resolved_unionid: unionid,
      [TTL_ATTRIBUTE]: unixSeconds(now) + windowSeconds,
    };
    await answered(client.send(new PutCommand({ TableName, Item })));
  }

  async function recall({ appid, code }: ArrivedCode): Promise<WechatIdentity | undefined> {
    if (windowSeconds === 0) return undefined;
    const Key = { [PARTITION_KEY]: spentCodeKey(appid, code) };
    const { Item } = await answered(client.send(new GetCommand({ TableName, Key, ConsistentRead: true })));
    const result = v.safeParse(spentCodeItem, Item);
    // DynamoDB deletes expired items lazily, up to days later.
    if (!result.success || result.output[TTL_ATTRIBUTE] <= unixSeconds(now)) return undefined;
    const { resolved_openid: openid, resolved_unionid: unionid } = result.output;
    return { openid, ...(unionid !== undefined && { unionid }) };
  }

  async function awaitTwin(arrived: ArrivedCode): Promise<WechatIdentity | undefined> {
    if (windowSeconds === 0) return undefined;
    for (const ms of PAUSES_MS) {
      const identity = await recall(arrived);
      if (identity !== undefined) return identity;
      await sleep(ms);
    }
    return recall(arrived);
  }

  return { remember, recall, awaitTwin };
}
