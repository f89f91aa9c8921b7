/** The stages as typed settings: the one file a team edits before it deploys. */
import * as v from 'valibot';
import { CLOCK_TOLERANCE_SECONDS, TOKEN_LIFETIME_SECONDS } from '../functions/tokens/claims.ts';
import {
  KEY_PUBLIC_BEFORE_USE_SECONDS,
  MAX_RETIRED_KEYS_BEFORE_ROTATION,
  RETIRED_KEY_PUBLIC_SECONDS,
  VERIFIER_CACHE_SECONDS,
} from '../functions/tokens/key-schedule.ts';

/** What the mini-program console shows as AppID. */
export const APPID = /^wx[0-9A-Za-z]{1,62}$/;

/** A base URL of WeChat; without commas, because a function is told them as one list. */
export const WECHAT_API_BASE = /^https?:\/\/[^/?#\s,]+(\/[^?#\s,]*)?$/;

const httpUrl = v.pipe(
  v.string(),
  v.regex(
    /^https?:\/\/[^/?#\s]+$/,
    'must be an http(s) origin without a path, such as https://login.example.com',
  ),
);

const DAY_SECONDS = 86_400;

/** A token must not outlive the public part of its key, not even at a slow verifier. */
const maxTokenLifetimeSeconds = Math.min(
  TOKEN_LIFETIME_SECONDS,
  RETIRED_KEY_PUBLIC_SECONDS - VERIFIER_CACHE_SECONDS - CLOCK_TOLERANCE_SECONDS,
);

/** Days between rotations, counted so that no time of the key schedule is cut short. */
const keyRotationDays = v.pipe(
  v.number(),
  v.integer('must be a whole number of days'),
  v.check(
    (days) => days * DAY_SECONDS >= Math.max(VERIFIER_CACHE_SECONDS, 2 * KEY_PUBLIC_BEFORE_USE_SECONDS),
    `must be at least 1: a key is public for ${KEY_PUBLIC_BEFORE_USE_SECONDS / 3600} hours before it signs, because verifiers hold the public keys for up to ${VERIFIER_CACHE_SECONDS / 3600}`,
  ),
  v.check(
    (days) => days * DAY_SECONDS * MAX_RETIRED_KEYS_BEFORE_ROTATION >= RETIRED_KEY_PUBLIC_SECONDS,
    `must be at least ${Math.ceil(RETIRED_KEY_PUBLIC_SECONDS / DAY_SECONDS / MAX_RETIRED_KEYS_BEFORE_ROTATION)}: a retired key stays public until its last token has expired, and verifiers read no more than ten keys`,
  ),
  v.maxValue(365, 'must be at most 365'),
);

const settingsSchema = v.strictObject({
  /** AppIDs of the mini-programs that log in here; the first is the default. */
  appids: v.pipe(
    v.array(
      v.pipe(
        v.string(),
        v.regex(APPID, 'must be an AppID as the mini-program console shows it: wx and letters or digits'),
      ),
    ),
    v.minLength(1, 'must name at least one mini-program'),
    v.check((list) => new Set(list).size === list.length, 'must not name a mini-program twice'),
  ),
  /**
   * Origin under which clients reach the API when a custom domain stands before it; it becomes the tokens'
   * issuer. Default: the API's own execute-api address.
   */
  publicUrl: v.optional(httpUrl),
  /** WeChat's base URLs, in the order they are tried when one cannot be reached. */
  wechatApiBases: v.pipe(
    v.array(
      v.pipe(
        v.string(),
        v.regex(WECHAT_API_BASE, 'must be an http(s) URL without a query, such as https://api.weixin.qq.com'),
      ),
    ),
    v.minLength(1, 'must name at least one host'),
  ),
  /** The tokens' audience. */
  audience: v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 visible ASCII characters')),
  /** How long a token is valid, in seconds. */
  tokenLifetimeSeconds: v.pipe(
    v.number(),
    v.integer('must be a whole number of seconds'),
    v.minValue(300, 'must be at least 300 (5 minutes)'),
    v.maxValue(
      maxTokenLifetimeSeconds,
      `must be at most ${maxTokenLifetimeSeconds} (${maxTokenLifetimeSeconds / DAY_SECONDS} days): verifiers refuse longer ones, and no retired key stays public for longer`,
    ),
  ),
  /**
   * Whether our own routes refuse tokens after a logout, a ban or an erasure, for one read of the table a request.
   * Without it a token is good until it expires, and can be refreshed until thirty days after its login.
   */
  checkRevocation: v.boolean(),
  /** How long a code that arrives twice logs the same user in, in seconds; 0 turns it off. */
  codeReuseWindowSeconds: v.pipe(
    v.number(),
    v.integer('must be a whole number of seconds'),
    v.minValue(0, 'must not be negative'),
    v.maxValue(300, 'must be at most 300: a code lives five minutes'),
  ),
  /** Days between two rotations of the signing key. */
  keyRotationDays,
  /**
   * AWS accounts (12 digits) whose API Gateways may call our authorizer. An API of this account needs no entry: its
   * stack adds the permission itself.
   */
  consumerAccounts: v.pipe(
    v.array(v.pipe(v.string(), v.regex(/^\d{12}$/, 'must be an account id of 12 digits, in quotes'))),
    v.check((list) => new Set(list).size === list.length, 'must not name an account twice'),
    v.maxLength(50, 'must name at most 50 accounts: the policy of a function holds no more'),
  ),
  /** Days that logs are kept; one of the values CloudWatch Logs takes. */
  logRetentionDays: v.picklist(
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731],
    'must be a retention that CloudWatch Logs offers, such as 30 or 365',
  ),
  /** Users survive mistakes: point-in-time recovery, deletion protection, nothing deleted with the stack. */
  protectData: v.boolean(),
});

/** What differs between stages. */
export type StageSettings = Readonly<v.InferOutput<typeof settingsSchema>>;

/** Settings that are the same everywhere unless a stage says otherwise. */
const defaults: v.InferInput<typeof settingsSchema> = {
  appids: ['wx0123456789abcdef'],
  wechatApiBases: ['https://api.weixin.qq.com', 'https://api2.weixin.qq.com'],
  audience: 'wechat-login',
  tokenLifetimeSeconds: TOKEN_LIFETIME_SECONDS,
  checkRevocation: true,
  codeReuseWindowSeconds: 60,
  keyRotationDays: 30,
  consumerAccounts: [],
  logRetentionDays: 30,
  protectData: false,
};

/** The stages. Put your mini-program's AppID here, or pass `-c settings='{"appids":["wx…"]}'`. */
const stages = {
  dev: { ...defaults },
  staging: { ...defaults },
  prod: { ...defaults, logRetentionDays: 180, protectData: true },
  'prod-cn': { ...defaults, logRetentionDays: 180, protectData: true },
} satisfies Record<string, v.InferInput<typeof settingsSchema>>;

/** Name of a stage, as in `cdk deploy -c stage=prod`. */
export type StageName = keyof typeof stages;

/** All stage names. */
export const stageNames = Object.keys(stages) as StageName[];

/**
 * The settings of a stage, checked.
 *
 * @param overrides members that replace the stage's own, as the object (or its JSON text) of `-c settings=…`.
 * @throws Error naming the stage or the setting, its value and what is allowed.
 */
export function settingsFor(stage: string, overrides?: unknown): StageSettings {
  if (!Object.hasOwn(stages, stage)) {
    throw new Error(`There is no stage '${stage}' in lib/config.ts; it has ${stageNames.join(', ')}`);
  }
  const result = v.safeParse(settingsSchema, { ...stages[stage as StageName], ...objectFrom(overrides) });
  if (result.success) return result.output;
  const problems = result.issues.map((issue) => {
    const name = v.getDotPath(issue) ?? 'settings';
    return issue.type === 'strict_object' && issue.expected === 'never'
      ? `'${name}' is not a setting; there are ${Object.keys(settingsSchema.entries).join(', ')}`
      : `setting '${name}' is ${JSON.stringify(issue.input) ?? 'missing'}: ${issue.message}`;
  });
  throw new Error(`Stage '${stage}': ${problems.join('; ')}`);
}

function objectFrom(overrides: unknown): object {
  let value = overrides;
  if (typeof value === 'string') {
    try {
      value = JSON.parse(value);
    } catch {
      throw new Error(`-c settings=… must be a JSON object; it is ${overrides}`);
    }
  }
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`-c settings=… must be a JSON object; it is ${JSON.stringify(value)}`);
  }
  return value;
}
