/**
 * The environment variables of each function, once: the functions parse them at start-up, and the stack must
 * set exactly these names or it does not compile.
 */
import * as v from 'valibot';
import { EVERY_APPID } from './appids.ts';
import { contentChecks } from './content-checks.ts';
import { nonEmptyText as text } from './schemas.ts';
import { isSecureUrl } from './secure-url.ts';

const url = v.pipe(text, v.url('is not a URL'));
const list = v.pipe(
  text,
  v.transform((value) => value.split(',').map((entry) => entry.trim())),
);
const entry = v.pipe(v.string(), v.minLength(1, 'has an empty entry'));
const wholeNumber = v.pipe(text, v.regex(/^\d{1,9}$/, 'is not a whole number'), v.transform(Number));

const keysUrl = v.pipe(
  url,
  v.check((value) => !URL.canParse(value) || isSecureUrl(value), 'is not an https URL'),
);

const flag = v.pipe(
  v.picklist(['true', 'false'], 'is neither true nor false'),
  v.transform((value) => value === 'true'),
);

/** What the function's log lines and metrics say they are of; the name is Powertools', which other tools know. */
const service = { POWERTOOLS_SERVICE_NAME: text };
const table = { TABLE_NAME: text };
const tokens = { TOKEN_ISSUER: url, TOKEN_AUDIENCE: text };

/** Of the functions that call WeChat. */
const wechat = {
  /** Mini-programs served here, comma-separated; the first is the default. */
  WECHAT_APPIDS: v.pipe(list, v.tupleWithRest([entry], entry)),
  /** WeChat's base URLs, comma-separated, in the order they are tried. */
  WECHAT_API_BASE: v.pipe(list, v.array(v.pipe(v.string(), v.url('has an entry that is not a URL')))),
  /** Secret: JSON object by appid, of AppSecrets and of what is set up for message push. */
  WECHAT_SECRETS_ARN: text,
  /** How long a code of WeChat that arrives twice has the same result; 0 turns it off. */
  CODE_REUSE_WINDOW_SECONDS: wholeNumber,
  /** Whether WeChat checks nicknames before they are stored. */
  CONTENT_CHECK: v.picklist(contentChecks, 'is neither off nor nicknames'),
};

/** What each function finds in its environment. */
export const environments = {
  login: v.object({
    ...service,
    ...table,
    ...tokens,
    ...wechat,
    /** Secret: the key ring. */
    KEY_RING_ARN: text,
    TOKEN_LIFETIME_SECONDS: wholeNumber,
  }),
  member: v.object({ ...service, ...table, SERVICE_VERSION: text }),
  account: v.object({
    ...service,
    ...table,
    ...wechat,
    /** Days between the cancellation of an account and its erasure; 0 erases it at once. */
    ERASURE_GRACE_DAYS: wholeNumber,
  }),
  authorizer: v.object({
    ...service,
    ...table,
    ...tokens,
    /** Whether tokens that were revoked, and users who are banned or gone, are refused. */
    CHECK_REVOCATION: flag,
  }),
  'remote-authorizer': v.object({
    ...service,
    ...tokens,
    /** Where the issuer publishes its JWK Set. */
    JWKS_URL: keysUrl,
    /** How HTTP APIs with payload 2.0 were set up: simple responses, or policies. */
    HTTP_RESPONSE: v.picklist(['simple', 'iam'], 'is neither simple nor iam'),
    /** Mini-programs whose members may pass, comma-separated, or {@link EVERY_APPID}. */
    ALLOWED_APPIDS: v.pipe(
      list,
      v.array(entry),
      v.transform((appids) => (appids.includes(EVERY_APPID) ? undefined : appids)),
    ),
    /** Longest that an AppSync API keeps an `allow`. */
    CACHE_TTL_SECONDS: wholeNumber,
  }),
  rotation: v.object({ ...service, ...table, KEY_RING_ARN: text }),
};

/** Names of our functions. */
export type FunctionName = keyof typeof environments;

/** The variables a function must be given, as text: what the stack sets. */
export type EnvironmentOf<N extends FunctionName> = Record<
  keyof v.InferInput<(typeof environments)[N]>,
  string
>;

/** A function's environment, parsed. */
type Environment<N extends FunctionName> = Readonly<v.InferOutput<(typeof environments)[N]>>;

/**
 * Parses a function's environment into a frozen typed object.
 *
 * @throws Error naming every variable that is missing or wrong, and no value.
 */
export function readEnvironment<N extends FunctionName>(
  name: N,
  source: NodeJS.ProcessEnv = process.env,
): Environment<N> {
  const result = v.safeParse(environments[name], source);
  if (result.success) return Object.freeze(result.output) as Environment<N>;
  const problems = result.issues.map((issue) => {
    const variable = v.getDotPath(issue)?.split('.')[0] ?? 'environment';
    return `${variable} ${issue.received === 'undefined' ? 'is missing' : issue.message}`;
  });
  throw new Error(`The ${name} function is misconfigured: ${[...new Set(problems)].join('; ')}`);
}
