/** What WeChat's text check is asked about. */

/** `nicknames`: before one is stored. */
export const contentChecks = ['off', 'nicknames'] as const;
