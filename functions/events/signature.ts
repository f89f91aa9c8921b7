/**
 * WeChat's signatures over push messages.
 * https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
 */
import { createHash, timingSafeEqual } from 'node:crypto';

/** SHA-1 over the sorted parts in one string: Token, timestamp and nonce, and for `msg_signature` also `Encrypt`. */
export function signatureOf(...parts: readonly string[]): string {
  return createHash('sha1').update(parts.toSorted().join('')).digest('hex');
}

/** Compares in constant time; both sides are hashed first, so that a wrong length takes as long as a wrong letter. */
export function sameSignature(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
