/** How far a push message's `timestamp` may be from our clock. */
import { type Clock, unixSeconds } from '../contracts/clock.ts';

/** WeChat signs when it sends; this leaves room for clocks and slow networks. */
export const SIGNED_WITHIN_SECONDS = 300;

/** @param timestamp untrusted Unix seconds, ten digits: cut elsewhere, an old signature's digits could say another time */
export function isTimely(timestamp: string, now: Clock): boolean {
  return Math.abs(unixSeconds(now) - Number(timestamp)) <= SIGNED_WITHIN_SECONDS;
}
