/**
 * How long ago something was, by a clock that may be set back.
 *
 * It is the wall clock that counts here: Lambda freezes an environment between requests, for hours, and does not
 * promise that a monotonic clock advances meanwhile. The wall clock does, but may be stepped.
 */

/**
 * Milliseconds from `since` to `now`. After the clock was set back it is longer than every limit, so that nothing is
 * kept, or refused, until the clock has caught up.
 */
export const elapsedMs = (since: number, now: number): number =>
  now < since ? Number.MAX_VALUE : now - since;
