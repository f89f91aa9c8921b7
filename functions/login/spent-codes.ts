/**
 * What recently exchanged codes resolved to, so that a code that arrives twice (lost response, double tap) logs the
 * same user in although WeChat accepts every code only once.
 */
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { setTimeout as realSleep } from 'node:timers/promises';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as v from 'valibot';
import { answered, asUnavailable } from '../aws/unavailable.ts';
import { type Clock, unixSeconds } from '../contracts/clock.ts';
import { jsonText, nonEmptyText, unixTime } from '../contracts/schemas.ts';
import { PARTITION_KEY, spentCodeKey, TTL_ATTRIBUTE, waitingPlaceKey } from '../contracts/table.ts';
import { CLOCK_TOLERANCE_SECONDS } from '../contracts/token.ts';
import type { WechatIdentity } from '../wechat/identity.ts';

/** A code of `wx.login` and the mini-program it came from. */
export interface ArrivedCode {
  readonly appid: string;
  readonly code: string;
}

/** The exchange of a code: whom it resolved to, and the login that it began. */
export interface Exchange {
  readonly identity: WechatIdentity;
  /** Unix seconds at which it began. */
  readonly exchangedAt: number;
  /** Id of the login. */
  readonly sid: string;
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
  /** Keeps the exchange of a code for the window. */
  remember(arrived: ArrivedCode, exchange: Exchange): Promise<void>;
  /** The exchange of a code within the window, or undefined. */
  recall(arrived: ArrivedCode): Promise<Exchange | undefined>;
  /**
   * For a code that WeChat calls used: {@link recall}, and while there is no record, again for up to two and a half
   * seconds: the twin request that used it up may still be waiting for WeChat's response. Each code is waited for once.
   */
  awaitTwin(arrived: ArrivedCode): Promise<Exchange | undefined>;
}

/** Most twins are just about to finish: they are found before anything has to be written. */
const FIRST_PAUSES_MS = [50, 100];
/** Growing; with the first ones two and a half seconds in total. */
const LONG_PAUSES_MS = [250, 450, 700, 950];

/** So many requests may be in the long pauses at a time, over all environments. */
export const WAITING_PLACES = 20;
/** How long a place is taken, in seconds: whole ones, and longer than the long pauses. */
const PLACE_SECONDS = 4;

const spentCodeItem = v.object({
  sealed_identity: nonEmptyText,
  exchanged_at: unixTime,
  sid: nonEmptyText,
  [TTL_ATTRIBUTE]: v.number(),
});

const identitySchema = v.pipe(
  jsonText,
  v.object({ openid: nonEmptyText, unionid: v.optional(nonEmptyText) }),
);

type Item = Record<string, unknown>;

export function createSpentCodes(options: SpentCodesOptions): SpentCodes {
  const { client, tableName: TableName, windowSeconds, now, sleep = realSleep } = options;

  async function remember({ appid, code }: ArrivedCode, exchange: Exchange): Promise<void> {
    if (windowSeconds === 0) return;
    const { identity, exchangedAt, sid } = exchange;
    const Item = {
      [PARTITION_KEY]: spentCodeKey(appid, code),
      sealed_identity: sealIdentity(identity, { appid, code }),
      exchanged_at: exchangedAt,
      sid,
      [TTL_ATTRIBUTE]: exchangedAt + windowSeconds,
    };
    await answered(client.send(new PutCommand({ TableName, Item })));
  }

  async function recall({ appid, code }: ArrivedCode): Promise<Exchange | undefined> {
    return windowSeconds === 0
      ? undefined
      : exchangeIn(await read(spentCodeKey(appid, code)), { appid, code });
  }

  /** Consistent, because the twin may have written it a moment ago. */
  async function read(key: string): Promise<Item | undefined> {
    const Key = { [PARTITION_KEY]: key };
    const { Item } = await answered(client.send(new GetCommand({ TableName, Key, ConsistentRead: true })));
    return Item;
  }

  function exchangeIn(item: Item | undefined, arrived: ArrivedCode): Exchange | undefined {
    const result = v.safeParse(spentCodeItem, item);
    if (!result.success) return undefined;
    // DynamoDB deletes expired items lazily, up to days later. One of the future is over, too: the clock was set back.
    const { sealed_identity, exchanged_at: exchangedAt, sid, [TTL_ATTRIBUTE]: until } = result.output;
    const time = unixSeconds(now);
    if (until <= time || exchangedAt > time + CLOCK_TOLERANCE_SECONDS) return undefined;
    const { openid, unionid } = openIdentity(sealed_identity, arrived);
    return { identity: { openid, ...(unionid !== undefined && { unionid }) }, exchangedAt, sid };
  }

  /**
   * Whatever stands under the code's key ends the wait: a record, one that has expired, or the mark of a wait before.
   * None of them means that a twin is under way.
   */
  async function awaitTwin(arrived: ArrivedCode): Promise<Exchange | undefined> {
    if (windowSeconds === 0) return undefined;
    const key = spentCodeKey(arrived.appid, arrived.code);
    for (const ms of [0, ...FIRST_PAUSES_MS]) {
      if (ms > 0) await sleep(ms);
      const item = await read(key);
      if (item !== undefined) return exchangeIn(item, arrived);
    }
    if (!(await claim(key, windowSeconds))) return exchangeIn(await read(key), arrived);
    const place = Number.parseInt(key.slice(-8), 16) % WAITING_PLACES;
    if (!(await claim(waitingPlaceKey(place), PLACE_SECONDS))) return undefined;
    for (const ms of LONG_PAUSES_MS) {
      await sleep(ms);
      const exchange = exchangeIn(await read(key), arrived);
      if (exchange !== undefined) return exchange;
    }
    return undefined;
  }

  /**
   * Marks a key for some seconds; false when something that has not expired stands there. What lasts longer than anything
   * that is marked now is of before the clock was set back.
   */
  async function claim(key: string, seconds: number): Promise<boolean> {
    try {
      await client.send(
        new PutCommand({
          TableName,
          Item: { [PARTITION_KEY]: key, [TTL_ATTRIBUTE]: unixSeconds(now) + seconds },
          ConditionExpression: `attribute_not_exists(${PARTITION_KEY}) OR NOT ${TTL_ATTRIBUTE} BETWEEN :next AND :last`,
          ExpressionAttributeValues: {
            ':next': unixSeconds(now) + 1,
            ':last': unixSeconds(now) + seconds + CLOCK_TOLERANCE_SECONDS,
          },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw asUnavailable(error);
    }
  }

  return { remember, recall, awaitTwin };
}

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;
const TAG = { authTagLength: TAG_BYTES };

/**
 * Only the code opens it, which is kept nowhere: an expired record can lie in the table for days, and names nobody who
 * was erased in the meantime.
 */
function sealIdentity({ openid, unionid }: WechatIdentity, arrived: ArrivedCode): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, keyFrom(arrived), iv, TAG);
  const sealed = [cipher.update(JSON.stringify({ openid, unionid }), 'utf8'), cipher.final()];
  return Buffer.concat([iv, cipher.getAuthTag(), ...sealed]).toString('base64');
}

/** @throws Error for a record that we have not written */
function openIdentity(sealed: string, arrived: ArrivedCode): v.InferOutput<typeof identitySchema> {
  const bytes = Buffer.from(sealed, 'base64');
  const decipher = createDecipheriv(CIPHER, keyFrom(arrived), bytes.subarray(0, IV_BYTES), TAG);
  decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  const text = [decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()];
  return v.parse(identitySchema, Buffer.concat(text).toString('utf8'));
}

/** No part of the record's key: that is another hash of the code. */
const keyFrom = ({ appid, code }: ArrivedCode): KeyObject =>
  createSecretKey(new Uint8Array(hkdfSync('sha256', code, appid, 'identity of a spent code', 32)));
