/** How the functions tell the time: as a parameter, so that a test can stand still or let years pass. */

/** The current Unix time in milliseconds, as of `Date.now`. */
export type Clock = () => number;

/** The current Unix time in whole seconds, the unit of tokens and of the table. */
export const unixSeconds = (now: Clock): number => Math.floor(now() / 1000);
