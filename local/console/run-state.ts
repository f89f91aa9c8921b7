/**
 * What is known of a run and can be done to it, as the page, the controls and the commands name it. It imports nothing, so
 * that a browser's code can read it too.
 */

/** A user, enough to recognize one. */
export interface UserRow {
  readonly user_id: string;
  readonly appid: string;
  readonly openid: string;
  readonly username: string;
  readonly status: string;
  /** Unix seconds. */
  readonly last_login_at: number;
}

/** The signing keys by their ids; times are Unix seconds. */
export interface KeyRows {
  readonly current: { readonly kid: string; readonly published_at: number };
  readonly next: { readonly kid: string; readonly published_at: number };
  readonly retired: readonly { readonly kid: string; readonly remove_after: number }[];
}

export const userChanges = ['ban', 'unban', 'revoke', 'erase'] as const;
export type UserChange = (typeof userChanges)[number];

export const oddTokens = ['expired', 'foreign_audience', 'wrongly_signed', 'revoked'] as const;
export type OddToken = (typeof oddTokens)[number];

/** A route of another team's service beside this one. */
export interface ForeignRoute {
  readonly method: string;
  readonly url: string;
}

/** Works on the users, keys and tokens of a run. */
export interface Operations {
  users(): Promise<readonly UserRow[]>;
  /** Resolves to whether there is such a user. */
  changeUser(what: UserChange, userId: string): Promise<boolean>;
  keys(): Promise<KeyRows>;
  /** Makes `next` look as if it had been public for long enough, which takes half a day otherwise. */
  ageKeys(): Promise<void>;
  rotate(): Promise<void>;
  drop(kid: string): Promise<void>;
  /** Makes a token that the service must not accept, of a demo user. */
  oddToken(kind: OddToken): Promise<string>;
}

/** Where the parts of a run are, for commands that work on them. */
export interface RunAddresses {
  readonly url: string;
  readonly dynamodb: string;
  readonly table: string;
  readonly secretsManager: string;
  readonly keyRingArn: string;
  readonly wechatSecretsArn: string;
  readonly appids: readonly string[];
  /** Absent when another WeChat is called. */
  readonly simulator?: string;
}

/** What a function wrote. */
export type Fields = Readonly<Record<string, unknown>>;

/** One request as the page and a terminal show it. */
export interface JournalEntry {
  readonly seq: number;
  readonly request_id: string;
  /** ISO 8601. */
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly ms: number;
  /** The `error` that the client got. */
  readonly error?: string;
  /** The gateway's own reason, when it refused itself. */
  readonly refusal?: string;
  /** What the functions logged of it, each with the name of its function. */
  readonly lines: readonly Fields[];
  /** What the functions counted in it. */
  readonly metrics: readonly Fields[];
}

/** A fault as it is shown. */
export interface FaultRow {
  readonly name: string;
  readonly callsLeft?: number;
  readonly code?: string;
  readonly openid?: string;
}

/** All that the page and `npm run status` show of a run. */
export interface RunState {
  readonly addresses: RunAddresses;
  /** `"DELETE /member/me"` and so on. */
  readonly routes: readonly string[];
  readonly foreignRoutes: readonly ForeignRoute[];
  /** Names of the faults that can be switched on; none when another WeChat is called. */
  readonly presets: readonly string[];
  readonly faults: readonly FaultRow[];
  readonly users: readonly UserRow[];
  readonly keys: KeyRows;
}
