/**
 * Opens the encrypted part of a push message: AES-256-CBC over 16 random bytes, the length, the message, the AppID.
 * https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
 */
import { createDecipheriv } from 'node:crypto';
import { PushRefusal } from './push-refusal.ts';

const KEY_BYTES = 32;
/** WeChat pads to 32 bytes, twice the cipher's own block; Node's automatic unpadding fails on the longer half. */
const PADDED_TO = 32;
const RANDOM_BYTES = 16;
const LENGTH_BYTES = 4;

/**
 * The text of `encrypted`, whose `msg_signature` was checked before.
 *
 * @throws PushRefusal `no_key`; `undecryptable` for whatever is wrong inside.
 */
export function decrypt(encrypted: string, encodingAesKey: string, appid: string): string {
  // Leniently: keys whose last character has bits that belong to no byte are in use.
  const key = Buffer.from(encodingAesKey, 'base64');
  if (key.length !== KEY_BYTES) throw new PushRefusal('no_key');
  const text = open(Buffer.from(encrypted, 'base64'), key, appid);
  if (text === undefined) throw new PushRefusal('undecryptable');
  return text;
}

function open(sealed: Buffer, key: Buffer, appid: string): string | undefined {
  if (sealed.length % PADDED_TO !== 0) return undefined;
  const cipher = createDecipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false);
  const opened = Buffer.concat([cipher.update(sealed), cipher.final()]);
  const pad = opened.at(-1) ?? 0;
  if (pad < 1 || pad > PADDED_TO || !opened.subarray(-pad).every((byte) => byte === pad)) return undefined;
  const content = opened.subarray(RANDOM_BYTES, -pad);
  if (content.length < LENGTH_BYTES) return undefined;
  const end = LENGTH_BYTES + content.readUInt32BE();
  if (content.toString('utf8', end) !== appid) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content.subarray(LENGTH_BYTES, end));
  } catch {
    return undefined;
  }
}
