/**
 * What grows with the users, computed from one login: the model behind docs/scale.md, whose tables a test compares with
 * it. What it takes for a login is counted (test/functions/login/login-cost.test.ts) and measured (RESULTS.md).
 */

/** One login, on average; docs/cost.md has the same. */
export const ONE_LOGIN = {
  /** At WeChat and at work. */
  seconds: 0.27,
  /** When WeChat hangs: its budget (functions/wechat/connection.ts). */
  hangingSeconds: 4,
  /** Of members who come every week; of a new one. */
  writeUnits: 1.4,
  newUserWriteUnits: 6,
  readUnits: 0.5,
  logKb: 1.5,
  usdAMillion: 7.158,
} as const;

const SECONDS_A_WEEK = 7 * 24 * 3600;
const SECONDS_A_MONTH = 30 * 24 * 3600;

/** The busiest second of a week, as a multiple of its average. */
export const PEAK_FACTOR = 5;

/** What a number of users, or of logins a second, takes. */
export interface Scale {
  readonly loginsAMonth: number;
  readonly peakPerSecond: number;
  /** Environments of the login function at the peak, and when WeChat hangs then. */
  readonly environments: number;
  readonly hangingEnvironments: number;
  /** Write units a second at the peak, and if everybody were new. */
  readonly writeUnits: number;
  readonly newUserWriteUnits: number;
  readonly logGbAMonth: number;
  readonly usdAMonth: number;
}

/** Each user logs in once a week. */
export const scaleOf = (users: number): Scale =>
  scaleOfRate((users / SECONDS_A_WEEK) * PEAK_FACTOR, (users / SECONDS_A_WEEK) * SECONDS_A_MONTH);

/** @param loginsAMonth where the rate is no peak of ordinary weeks */
export function scaleOfRate(peakPerSecond: number, loginsAMonth: number): Scale {
  return {
    loginsAMonth,
    peakPerSecond,
    environments: Math.ceil(peakPerSecond * ONE_LOGIN.seconds),
    hangingEnvironments: Math.ceil(peakPerSecond * ONE_LOGIN.hangingSeconds),
    writeUnits: peakPerSecond * ONE_LOGIN.writeUnits,
    newUserWriteUnits: peakPerSecond * ONE_LOGIN.newUserWriteUnits,
    logGbAMonth: (loginsAMonth * ONE_LOGIN.logKb) / 1e6,
    usdAMonth: (loginsAMonth * ONE_LOGIN.usdAMillion) / 1e6,
  };
}

/** A limit that more logins meet some day. */
export interface Limit {
  readonly name: string;
  /** How much there is of it by default. */
  readonly most: number;
  /** How much of it one login a second takes. */
  readonly perLogin: number;
}

export const limits: readonly Limit[] = [
  { name: '`loginThrottle`, ours', most: 100, perLogin: 1 },
  { name: 'environments, when WeChat hangs', most: 1_000, perLogin: ONE_LOGIN.hangingSeconds },
  { name: 'writes of a new table, all users new', most: 4_000, perLogin: ONE_LOGIN.newUserWriteUnits },
  { name: 'writes of a new table', most: 4_000, perLogin: ONE_LOGIN.writeUnits },
  { name: 'environments', most: 1_000, perLogin: ONE_LOGIN.seconds },
  { name: 'requests of API Gateway', most: 10_000, perLogin: 1 },
  { name: 'reads of a new table', most: 12_000, perLogin: ONE_LOGIN.readUnits },
];

/** The logins a second, and the users whose peak that is, at which a limit is reached. */
export function reachedAt({ most, perLogin }: Limit): { readonly perSecond: number; readonly users: number } {
  const perSecond = most / perLogin;
  return { perSecond, users: (perSecond / PEAK_FACTOR) * SECONDS_A_WEEK };
}

const short = (number: number): string =>
  number >= 10
    ? Number(number.toPrecision(3)).toLocaleString('en-US')
    : String(Number(number.toPrecision(2)));
const millions = (number: number): string => `${short(number / 1e6)} M`;

/** Both tables of docs/scale.md. */
export function toScaleTables(): string {
  const rowOf = (name: string, scale: Scale): string =>
    `| ${[
      name,
      millions(scale.loginsAMonth),
      short(scale.peakPerSecond),
      `${short(scale.environments)}; ${short(scale.hangingEnvironments)}`,
      `${short(scale.writeUnits)}; ${short(scale.newUserWriteUnits)}`,
      short(scale.logGbAMonth),
      short(scale.usdAMonth),
    ].join(' | ')} |`;
  return [
    '| users | logins a month | logins a second, peak | environments; when WeChat hangs | write units a second; all new | GB of log a month | USD a month |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...[1e3, 1e4, 1e5, 1e6, 1e7, 1e8].map((users) => rowOf(short(users), scaleOf(users))),
    rowOf('a campaign: 10,000 a second for an hour', scaleOfRate(10_000, 10_000 * 3600)),
    '',
    '| limit | by default | reached at, logins a second | the peak of, users |',
    '| --- | --- | --- | --- |',
    ...limits.map((limit) => {
      const { perSecond, users } = reachedAt(limit);
      return `| ${limit.name} | ${short(limit.most)} | ${short(perSecond)} | ${millions(users)} |`;
    }),
  ].join('\n');
}
