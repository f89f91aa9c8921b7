/** The stages: the one file a team edits before it deploys. `lib/settings.ts` says what each setting means. */
import { MAX_TOKEN_LIFETIME_SECONDS } from '../functions/contracts/token.ts';
import { parseSettings, type SettingsInput, type StageSettings } from './settings.ts';

/** Settings that are the same everywhere unless a stage says otherwise. */
const defaults: SettingsInput = {
  appids: ['wx0123456789abcdef'],
  wechatApiBases: ['https://api.weixin.qq.com', 'https://api2.weixin.qq.com'],
  codeReuseWindowSeconds: 60,

  audience: 'wechat-login',
  tokenLifetimeSeconds: MAX_TOKEN_LIFETIME_SECONDS,
  checkRevocation: true,
  keyRotationDays: 30,
  consumerAccounts: [],

  protectData: false,
  encryptionKey: false,
  webAcl: false,
  loginsPerIpIn5Minutes: 1000,
  // Ten requests for each login.
  requestsPerIpIn5Minutes: 10_000,
  throttle: { requestsPerSecond: 500, burst: 1000 },
  loginThrottle: { requestsPerSecond: 100, burst: 200 },
  reservedConcurrency: {},
  fixedEgressAddresses: 0,

  architecture: 'arm64',
  gradualDeployment: false,
  tracing: true,
  logRetentionDays: 30,
  apiGatewayLogRole: true,
  alarmEmails: { urgent: [], notice: [] },
  runbookUrl: 'docs/operations.md',
};

/** What a stage with users has beyond that. */
const production: Partial<SettingsInput> = {
  protectData: true,
  encryptionKey: true,
  webAcl: true,
  // Hanging logins, or other functions of the account, must not leave logged-in users without an authorizer.
  reservedConcurrency: { authorizer: 100 },
  gradualDeployment: true,
  logRetentionDays: 180,
};

/** The stages. Put your mini-program's AppID here, or pass `-c settings='{"appids":["wx…"]}'`. */
const stages = {
  dev: { ...defaults },
  staging: { ...defaults },
  prod: { ...defaults, ...production },
  // X-Ray traces no functions in China regions: https://docs.amazonaws.cn/en_us/aws/latest/userguide/lambda.html
  // Whether Lambda has arm64 there is not documented.
  'prod-cn': { ...defaults, ...production, tracing: false, architecture: 'x86_64' },
} satisfies Record<string, SettingsInput>;

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
  try {
    return parseSettings({ ...stages[stage as StageName], ...objectFrom(overrides) });
  } catch (cause) {
    throw new Error(`Stage '${stage}': ${(cause as Error).message}`, { cause });
  }
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
