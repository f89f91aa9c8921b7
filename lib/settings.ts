/** What may differ between stages: every setting with its meaning and its unit. */
import * as v from 'valibot';
import { contentChecks } from '../functions/contracts/content-checks.ts';
import { isLoopback, isSecureUrl } from '../functions/contracts/secure-url.ts';
import * as values from './settings/values.ts';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-budgets-budget-notificationwithsubscribers.html */
const MAX_BUDGET_EMAILS = 10;

const settingsSchema = v.pipe(
  v.strictObject({
    // Logging in

    /** AppIDs of the mini-programs that log in here; the first is the default. */
    appids: values.appids,
    /** WeChat's base URLs, in the order they are tried when one cannot be reached. */
    wechatApiBases: values.wechatApiBases,
    /** How long a code that arrives twice logs the same user in, or binds the same phone number, in seconds; 0 turns it off. */
    codeReuseWindowSeconds: values.codeReuseWindowSeconds,

    // The members' data

    /**
     * Days between the cancellation of an account (注销) and its erasure, in which the member can take it back; 0 erases
     * it at once.
     */
    erasureGraceDays: values.erasureGraceDays,

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
    customDomain: v.optional(values.customDomain),
    /**
     * Origin under which clients reach the API when a domain that is not managed here stands before it, such as a
     * CDN's; it becomes the tokens' issuer. Default: the custom domain, or the API's own execute-api address.
     */
    publicUrl: v.optional(values.origin),

    // Tokens

    /** The tokens' audience. */
    audience: v.pipe(
      v.string(),
      v.regex(/^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 visible ASCII characters'),
    ),
    /** How long a token is valid, in seconds. */
    tokenLifetimeSeconds: values.tokenLifetimeSeconds,
    /**
     * Whether our own routes refuse tokens after a logout, a ban or an erasure, for one read of the table a request.
     * Without it a token is good until it expires, and can be refreshed until thirty days after its login.
     */
    checkRevocation: v.boolean(),
    /** Days between two rotations of the signing key, counted so that no time of the key schedule is cut short. */
    keyRotationDays: values.keyRotationDays,
    /**
     * AWS accounts (12 digits) whose API Gateways may call our authorizer. An API of this account needs no entry: its
     * stack adds the permission itself.
     */
    consumerAccounts: values.consumerAccounts,

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
    loginsPerIpIn5Minutes: values.wholeNumber(10, 2_000_000_000),
    /** The same for requests to all routes together: far less than a throttle, or one address could use that up. */
    requestsPerIpIn5Minutes: values.wholeNumber(10, 2_000_000_000),
    /** Limit of each route, for all clients together. */
    throttle: values.throttle,
    /** The same for `POST /member/login`, which spends the mini-program's quota at WeChat. */
    loginThrottle: values.throttle,
    /**
     * Environments that a function has for itself, out of the account's; it never gets more. A deployment fails where
     * fewer than a hundred would be left for all other functions. Default: it takes what the account has left.
     */
    reservedConcurrency: v.strictObject({
      login: v.optional(values.wholeNumber(1, 100_000)),
      authorizer: v.optional(values.wholeNumber(1, 100_000)),
    }),
    /**
     * Environments that are always started, and paid for as long as they are (docs/cost.md): as many requests at once
     * meet no cold start. Counted within `reservedConcurrency`, where a function has that. Default: none
     */
    provisionedConcurrency: v.strictObject({
      login: v.optional(values.wholeNumber(1, 100_000)),
      authorizer: v.optional(values.wholeNumber(1, 100_000)),
    }),
    /** Memory of each environment, MB; processor time grows with it. */
    memoryMb: v.strictObject({
      login: values.wholeNumber(256, 10_240),
      authorizer: values.wholeNumber(256, 10_240),
    }),
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
    logRetentionDays: values.logRetentionDays,
    /**
     * Whether the stack gives API Gateway the role through which it writes access logs. There is one per account and
     * region, and the last who sets it wins: true for one stage of an account, and false where somebody else has set it.
     */
    apiGatewayLogRole: v.boolean(),
    /** Who gets the alarms: `urgent` wakes somebody, `notice` can wait for the next working day. */
    alarmEmails: v.strictObject({ urgent: values.listOfEmails, notice: values.listOfEmails }),
    /**
     * What the whole account may cost in a month: an e-mail goes to the `notice` addresses when it is forecast to cost
     * more, and when it has. Of the whole account, because a budget for one stage would stay empty until somebody has
     * activated its tag for billing. Default: no budget
     */
    monthlyBudget: v.optional(
      v.strictObject({
        amount: values.wholeNumber(1, 100_000_000),
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
        isLocal(publicUrl) || wechatApiBases.filter(values.isWechatApiBase).every(isSecureUrl),
      'must be https: http carries the AppSecret for all to read',
    ),
    ['wechatApiBases'],
  ),
  v.forward(
    v.check(
      ({ publicUrl, fixedEgressAddresses, wechatApiBases }) =>
        isLocal(publicUrl) ||
        fixedEgressAddresses === 0 ||
        wechatApiBases.filter(values.isWechatApiBase).every((base) => new URL(base).port === ''),
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
