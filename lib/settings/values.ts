/** What the value of a setting may be, with the reason in the message that refuses it. */
import * as v from 'valibot';
import { APPID } from '../../functions/contracts/appids.ts';
import {
  KEY_PUBLIC_BEFORE_USE_SECONDS,
  MAX_RETIRED_KEYS_BEFORE_ROTATION,
  RETIRED_KEY_PUBLIC_SECONDS,
  VERIFIER_CACHE_SECONDS,
} from '../../functions/contracts/key-schedule.ts';
import { isSecureUrl } from '../../functions/contracts/secure-url.ts';
import { MAX_CODE_REUSE_SECONDS } from '../../functions/contracts/table.ts';
import { CLOCK_TOLERANCE_SECONDS, MAX_TOKEN_LIFETIME_SECONDS } from '../../functions/contracts/token.ts';

/** Whether a text is a base URL of WeChat; without commas, because a function is told them as one list. */
export const isWechatApiBase = (text: string): boolean =>
  /^https?:\/\/[^/?#\s,]+(\/[^?#\s,]*)?$/.test(text) && URL.canParse(text);

/** A whole number within bounds, which the message of a refusal repeats. */
export const wholeNumber = (min: number, max: number) =>
  v.pipe(
    v.number(),
    v.check(
      (value) => Number.isInteger(value) && value >= min && value <= max,
      `must be a whole number from ${min} to ${max}`,
    ),
  );

const noneTwice = (what: string) =>
  v.check<string[], string>((list) => new Set(list).size === list.length, `must not name ${what} twice`);

const email = v.pipe(v.string(), v.email('must be an e-mail address'));

export const listOfEmails = v.pipe(v.array(email), noneTwice('an address'));

/** API Gateway's token bucket: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html */
export const throttle = v.strictObject({
  /** Requests a second that are let through in the long run. */
  requestsPerSecond: wholeNumber(1, 10_000),
  /** Requests that may come at once. */
  burst: wholeNumber(1, 5_000),
});

/** Longest that lists become as one text, each beside all else that a function is told. */
const MAX_LIST_LENGTH = { appids: 1899, wechatApiBases: 500 };

export const appids = v.pipe(
  v.array(
    v.pipe(
      v.string(),
      v.regex(APPID, 'must be an AppID as the mini-program console shows it: wx and letters or digits'),
    ),
  ),
  v.minLength(1, 'must name at least one mini-program'),
  v.check(
    (list) => list.join(',').length <= MAX_LIST_LENGTH.appids,
    `must be at most ${MAX_LIST_LENGTH.appids} characters in all, a hundred mini-programs: the variables of a function hold no more than 4 KB`,
  ),
  noneTwice('a mini-program'),
);

export const wechatApiBases = v.pipe(
  v.array(
    v.pipe(
      v.string(),
      v.check(isWechatApiBase, 'must be an http(s) URL without a query, such as https://api.weixin.qq.com'),
    ),
  ),
  v.minLength(1, 'must name at least one host'),
  v.check(
    (list) => list.join(',').length <= MAX_LIST_LENGTH.wechatApiBases,
    `must be at most ${MAX_LIST_LENGTH.wechatApiBases} characters in all: the variables of a function hold no more than 4 KB`,
  ),
);

export const codeReuseWindowSeconds = v.pipe(
  v.number(),
  v.integer('must be a whole number of seconds'),
  v.minValue(0, 'must not be negative'),
  v.maxValue(MAX_CODE_REUSE_SECONDS, `must be at most ${MAX_CODE_REUSE_SECONDS}: a code lives five minutes`),
);

export const erasureGraceDays = v.pipe(
  v.number(),
  v.check(
    (days) => Number.isInteger(days) && days >= 0 && days <= 15,
    'must be a whole number of days from 0 to 15: an account must be erased within 15 working days',
  ),
);

export const customDomain = v.strictObject({
  name: v.pipe(
    v.string(),
    v.regex(
      /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/,
      'must be a domain name in lower case, such as login.example.com',
    ),
  ),
  certificateArn: v.pipe(
    v.string(),
    v.regex(
      /^arn:(aws:acm:(?!cn-)|aws-cn:acm:(?=cn-))[a-z]{2}(-[a-z]+)+-\d:\d{12}:certificate\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
      'must be the ARN of a certificate of ACM in the region of the stage, such as arn:aws:acm:eu-west-1:111111111111:certificate/01234567-89ab-cdef-0123-456789abcdef (arn:aws-cn:… in China)',
    ),
  ),
});

export const origin = v.pipe(
  v.string(),
  v.check(
    (text) => /^[a-z0-9.:/[\]-]+$/.test(text) && isSecureUrl(text) && new URL(text).origin === text,
    'must be an https origin without a path, such as https://login.example.com',
  ),
);

const DAY_SECONDS = 86_400;

/** A token must not outlive the public part of its key, not even at a slow verifier. */
const maxTokenLifetimeSeconds = Math.min(
  MAX_TOKEN_LIFETIME_SECONDS,
  RETIRED_KEY_PUBLIC_SECONDS - VERIFIER_CACHE_SECONDS - CLOCK_TOLERANCE_SECONDS,
);

export const tokenLifetimeSeconds = v.pipe(
  v.number(),
  v.integer('must be a whole number of seconds'),
  v.minValue(300, 'must be at least 300 (5 minutes)'),
  v.maxValue(
    maxTokenLifetimeSeconds,
    `must be at most ${maxTokenLifetimeSeconds} (${maxTokenLifetimeSeconds / DAY_SECONDS} days): verifiers refuse longer ones, and no retired key stays public for longer`,
  ),
);

export const keyRotationDays = v.pipe(
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

/** A test counts what they take, with the longest names there can be. */
export const MAX_CONSUMER_ACCOUNTS = 30;

export const consumerAccounts = v.pipe(
  v.array(v.pipe(v.string(), v.regex(/^\d{12}$/, 'must be an account id of 12 digits, in quotes'))),
  noneTwice('an account'),
  v.maxLength(
    MAX_CONSUMER_ACCOUNTS,
    `must name at most ${MAX_CONSUMER_ACCOUNTS} accounts: the policy of a function holds 20 KB, and ten APIs of this account need room too`,
  ),
);

export const logRetentionDays = v.picklist(
  [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
  'must be a retention that CloudWatch Logs offers, such as 30 or 365',
);
