/** What may differ between stages: every setting with its meaning, its unit and what is allowed. */
import * as v from 'valibot';
import { APPID } from '../functions/contracts/appids.ts';
import { contentChecks } from '../functions/contracts/content-checks.ts';
import {
  KEY_PUBLIC_BEFORE_USE_SECONDS,
  MAX_RETIRED_KEYS_BEFORE_ROTATION,
  RETIRED_KEY_PUBLIC_SECONDS,
  VERIFIER_CACHE_SECONDS,
} from '../functions/contracts/key-schedule.ts';
import { isLoopback, isSecureUrl } from '../functions/contracts/secure-url.ts';
import { MAX_CODE_REUSE_SECONDS } from '../functions/contracts/table.ts';
import { CLOCK_TOLERANCE_SECONDS, MAX_TOKEN_LIFETIME_SECONDS } from '../functions/contracts/token.ts';

/** Whether a text is a base URL of WeChat; without commas, because a function is told them as one list. */
export const isWechatApiBase = (text: string): boolean =>
  /^https?:\/\/[^/?#\s,]+(\/[^?#\s,]*)?$/.test(text) && URL.canParse(text);

const DAY_SECONDS = 86_400;

/** A token must not outlive the public part of its key, not even at a slow verifier. */
const maxTokenLifetimeSeconds = Math.min(
  MAX_TOKEN_LIFETIME_SECONDS,
  RETIRED_KEY_PUBLIC_SECONDS - VERIFIER_CACHE_SECONDS - CLOCK_TOLERANCE_SECONDS,
);

/** A whole number within bounds, which the message of a refusal repeats. */
const wholeNumber = (min: number, max: number) =>
  v.pipe(
    v.number(),
    v.check(
      (value) => Number.isInteger(value) && value >= min && value <= max,
      `must be a whole number from ${min} to ${max}`,
    ),
  );

const email = v.pipe(v.string(), v.email('must be an e-mail address'));

const listOfEmails = v.pipe(
  v.array(email),
  v.check((list) => new Set(list).size === list.length, 'must not name an address twice'),
);

/** API Gateway's token bucket: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html */
const throttle = v.strictObject({
  /** Requests a second that are let through in the long run. */
  requestsPerSecond: wholeNumber(1, 10_000),
  /** Requests that may come at once. */
  burst: wholeNumber(1, 5_000),
});

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-budgets-budget-notificationwithsubscribers.html */
const MAX_BUDGET_EMAILS = 10;

/** Longest that lists become as one text, each beside all else that a function is told. */
const MAX_LIST_LENGTH = { appids: 1899, wechatApiBases: 500 };

/** A test counts what they take, with the longest names there can be. */
export const MAX_CONSUMER_ACCOUNTS = 30;

const settingsSchema = v.pipe(
  v.strictObject({
    // Logging in

    /** AppIDs of the mini-programs that log in here; the first is the default. */
    appids: v.pipe(
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
      v.check((list) => new Set(list).size === list.length, 'must not name a mini-program twice'),
    ),
    /** WeChat's base URLs, in the order they are tried when one cannot be reached. */
    wechatApiBases: v.pipe(
      v.array(
        v.pipe(
          v.string(),
          v.check(
            isWechatApiBase,
            'must be an http(s) URL without a query, such as https://api.weixin.qq.com',
          ),
        ),
      ),
      v.minLength(1, 'must name at least one host'),
      v.check(
        (list) => list.join(',').length <= MAX_LIST_LENGTH.wechatApiBases,
        `must be at most ${MAX_LIST_LENGTH.wechatApiBases} characters in all: the variables of a function hold no more than 4 KB`,
      ),
    ),
    /** How long a code that arrives twice logs the same user in, or binds the same phone number, in seconds; 0 turns it off. */
    codeReuseWindowSeconds: v.pipe(
      v.number(),
      v.integer('must be a whole number of seconds'),
      v.minValue(0, 'must not be negative'),
      v.maxValue(
        MAX_CODE_REUSE_SECONDS,
        `must be at most ${MAX_CODE_REUSE_SECONDS}: a code lives five minutes`,
      ),
    ),

    // The members' data

    /**
     * Days between the cancellation of an account (注销) and its erasure, in which the member can take it back; 0 erases
     * it at once.
     */
    erasureGraceDays: v.pipe(
      v.number(),
      v.check(
        (days) => Number.isInteger(days) && days >= 0 && days <= 15,
        'must be a whole number of days from 0 to 15: an account must be erased within 15 working days',
      ),
    ),

    /**
     * Whether WeChat checks nicknames before they are stored (msg_sec_check): `off` or `nicknames`. A risky one is refused
     * where a member changes it, and left out at a login.
     */
    contentCheck: v.picklist(contentChecks, "must be 'off' or 'nicknames'"),

    // The address

    /**
     * A domain of yours on this API: its name, and the certificate for it in this account and region. The name
     * becomes the tokens' issuer. In China regions it must have an ICP filing, and so must any that a mini-program
     * calls.
     */
    customDomain: v.optional(
      v.strictObject({
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
      }),
    ),
    /**
     * Origin under which clients reach the API when a domain that is not managed here stands before it, such as a
     * CDN's; it becomes the tokens' issuer. Default: the custom domain, or the API's own execute-api address.
     */
    publicUrl: v.optional(
      v.pipe(
        v.string(),
        v.check(
          (text) => /^[a-z0-9.:/[\]-]+$/.test(text) && isSecureUrl(text) && new URL(text).origin === text,
          'must be an https origin without a path, such as https://login.example.com',
        ),
      ),
    ),

    // Tokens

    /** The tokens' audience. */
    audience: v.pipe(
      v.string(),
      v.regex(/^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 visible ASCII characters'),
    ),
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
    /** Days between two rotations of the signing key, counted so that no time of the key schedule is cut short. */
    keyRotationDays: v.pipe(
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
    ),
    /**
     * AWS accounts (12 digits) whose API Gateways may call our authorizer. An API of this account needs no entry: its
     * stack adds the permission itself.
     */
    consumerAccounts: v.pipe(
      v.array(v.pipe(v.string(), v.regex(/^\d{12}$/, 'must be an account id of 12 digits, in quotes'))),
      v.check((list) => new Set(list).size === list.length, 'must not name an account twice'),
      v.maxLength(
        MAX_CONSUMER_ACCOUNTS,
        `must name at most ${MAX_CONSUMER_ACCOUNTS} accounts: the policy of a function holds 20 KB, and ten APIs of this account need room too`,
      ),
    ),

    // Protection

    /**
     * Users survive mistakes: point-in-time recovery, deletion and termination protection, and nothing that holds data
     * is deleted with the stack.
     */
    protectData: v.boolean(),
    /**
     * The secrets and the users table are encrypted with a key of their own, whose use is logged and can be cut off; a
     * dollar a month. Turn
     * it on in a quiet hour: functions that start during that deployment may respond `unavailable` for a moment.
     */
    encryptionKey: v.boolean(),
    /** A web ACL (AWS WAF) before the API: a limit for each address, and AWS's common rules. */
    webAcl: v.boolean(),
    /**
     * Logins that one IP address may request within five minutes, where there is a web ACL. Mobile carriers put
     * thousands of subscribers behind one address.
     */
    loginsPerIpIn5Minutes: wholeNumber(10, 2_000_000_000),
    /** The same for requests to all routes together: far less than a throttle, or one address could use that up. */
    requestsPerIpIn5Minutes: wholeNumber(10, 2_000_000_000),
    /** Limit of each route, for all clients together. */
    throttle,
    /** The same for `POST /member/login`, which spends the mini-program's quota at WeChat. */
    loginThrottle: throttle,
    /**
     * Environments that a function has for itself, out of the account's; it never gets more. A deployment fails where
     * fewer than a hundred would be left for all other functions. Default: it takes what the account has left.
     */
    reservedConcurrency: v.strictObject({
      login: v.optional(wholeNumber(1, 100_000)),
      authorizer: v.optional(wholeNumber(1, 100_000)),
    }),
    /**
     * Environments that are always started, and paid for as long as they are (docs/cost.md): as many requests at once
     * meet no cold start. Counted within `reservedConcurrency`, where a function has that. Default: none
     */
    provisionedConcurrency: v.strictObject({
      login: v.optional(wholeNumber(1, 100_000)),
      authorizer: v.optional(wholeNumber(1, 100_000)),
    }),
    /** Memory of each environment, MB; processor time grows with it. */
    memoryMb: v.strictObject({ login: wholeNumber(256, 10_240), authorizer: wholeNumber(256, 10_240) }),
    /**
     * Addresses (Elastic IPs) that WeChat is called from, for the API IP whitelist of the mini-program console; each is a
     * NAT gateway in an availability zone of its own, and costs. 0: Lambda's changing ones.
     */
    fixedEgressAddresses: v.picklist([0, 1, 2], 'must be 0, 1 or 2 (which survives the loss of a zone)'),

    // Running it

    /** Instruction set of the functions. */
    architecture: v.picklist(['arm64', 'x86_64'], 'must be arm64 or x86_64'),
    /**
     * A new version of a function takes a tenth of the requests for five minutes before it takes all, and is taken back
     * when an alarm fires.
     */
    gradualDeployment: v.boolean(),
    /** Traces a sample of the requests with AWS X-Ray. */
    tracing: v.boolean(),
    /** Days that logs are kept; one of the values CloudWatch Logs takes. */
    logRetentionDays: v.picklist(
      [
        1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
        3653,
      ],
      'must be a retention that CloudWatch Logs offers, such as 30 or 365',
    ),
    /**
     * Whether the stack gives API Gateway the role through which it writes access logs. There is one per account and
     * region, and the last who sets it wins: true for one stage of an account, and false where somebody else has set it.
     */
    apiGatewayLogRole: v.boolean(),
    /** Who gets the alarms: `urgent` wakes somebody, `notice` can wait for the next working day. */
    alarmEmails: v.strictObject({ urgent: listOfEmails, notice: listOfEmails }),
    /**
     * What the whole account may cost in a month: an e-mail goes to the `notice` addresses when it is forecast to cost
     * more, and when it has. Of the whole account, because a budget for one stage would stay empty until somebody has
     * activated its tag for billing. Default: no budget
     */
    monthlyBudget: v.optional(
      v.strictObject({
        amount: wholeNumber(1, 100_000_000),
        /** The currency that the account is billed in. */
        currency: v.picklist(['USD', 'CNY'], 'must be USD, or CNY in China regions'),
      }),
    ),
    /** Where your team reads `docs/operations.md`; the alarms link to its sections. */
    runbookUrl: v.pipe(v.string(), v.regex(/^[!"$-~]{1,512}$/, 'must be a URL or a path, without a #')),
  }),
  v.forward(
    v.check(
      ({ customDomain, publicUrl }) => customDomain === undefined || publicUrl === undefined,
      'must be left out where there is a customDomain, which is the public URL',
    ),
    ['publicUrl'],
  ),
  v.forward(
    v.check(
      ({ monthlyBudget, alarmEmails: { notice } }) =>
        monthlyBudget === undefined || (notice.length >= 1 && notice.length <= MAX_BUDGET_EMAILS),
      `needs 1 to ${MAX_BUDGET_EMAILS} addresses in alarmEmails.notice, which AWS Budgets writes to`,
    ),
    ['monthlyBudget'],
  ),
  v.forward(
    v.check(
      ({ reservedConcurrency, provisionedConcurrency }) =>
        (['login', 'authorizer'] as const).every(
          (name) =>
            (provisionedConcurrency[name] ?? 0) <= (reservedConcurrency[name] ?? Number.POSITIVE_INFINITY),
        ),
      'must not be more than reservedConcurrency has for the same function, which Lambda refuses',
    ),
    ['provisionedConcurrency'],
  ),
  v.forward(
    v.check(
      ({ publicUrl, wechatApiBases }) =>
        isLocal(publicUrl) || wechatApiBases.filter(isWechatApiBase).every(isSecureUrl),
      'must be https: http carries the AppSecret for all to read',
    ),
    ['wechatApiBases'],
  ),
  v.forward(
    v.check(
      ({ publicUrl, fixedEgressAddresses, wechatApiBases }) =>
        isLocal(publicUrl) ||
        fixedEgressAddresses === 0 ||
        wechatApiBases.filter(isWechatApiBase).every((base) => new URL(base).port === ''),
      'must be on port 443 where there are fixedEgressAddresses: nothing else is let out',
    ),
    ['wechatApiBases'],
  ),
);

/** Whether the service is to run on this machine, where it may call whatever it can reach. */
export function isLocal(publicUrl: string | undefined): boolean {
  return publicUrl !== undefined && URL.canParse(publicUrl) && isLoopback(publicUrl);
}

/** What differs between stages. */
export type StageSettings = Readonly<v.InferOutput<typeof settingsSchema>>;

/** Settings as a team writes them. */
export type SettingsInput = v.InferInput<typeof settingsSchema>;

/** A setting, or a stage, that cannot be; its message says all of it: name, value, and what is allowed. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/**
 * Checks settings.
 *
 * @param whose begins the message
 * @throws SettingsError naming each wrong setting, its value and what is allowed
 */
export function parseSettings(settings: unknown, whose = ''): StageSettings {
  const result = v.safeParse(settingsSchema, settings);
  if (result.success) return result.output;
  throw new SettingsError(whose + result.issues.map(problem).join('; '));
}

function problem(issue: v.InferIssue<typeof settingsSchema>): string {
  const name = v.getDotPath(issue) ?? 'settings';
  // The input of a check of several settings is all of them.
  const value = issue.path === undefined ? issue.input : issue.path.at(-1)?.value;
  if (value === undefined) return `setting '${name}' is missing: lib/settings.ts says what it must be`;
  if (issue.type !== 'strict_object' || issue.expected !== 'never')
    return `setting '${name}' is ${JSON.stringify(value)}: ${issue.message}`;
  const known = name.includes('.') ? '' : `; there are ${Object.keys(settingsSchema.entries).join(', ')}`;
  return `'${name}' is not a setting${known}`;
}
