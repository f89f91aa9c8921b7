/** What holds where a team's `lib/config.ts` says nothing. A new setting gets its value here, so no team must edit. */
import { MAX_TOKEN_LIFETIME_SECONDS } from '../functions/contracts/token.ts';
import type { SettingsInput } from './settings.ts';

/** Settings that are the same everywhere unless a stage says otherwise. */
export const defaults: Omit<SettingsInput, 'appids'> = {
  wechatApiBases: ['https://api.weixin.qq.com', 'https://api2.weixin.qq.com'],
  codeReuseWindowSeconds: 60,

  erasureGraceDays: 0,
  contentCheck: 'off',

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
  provisionedConcurrency: {},
  memoryMb: { login: 256, authorizer: 512 },
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
export const production = {
  protectData: true,
  encryptionKey: true,
  webAcl: true,
  // Hanging logins, or other functions of the account, must not leave logged-in users without an authorizer.
  reservedConcurrency: { authorizer: 100 },
  gradualDeployment: true,
  logRetentionDays: 180,
} as const satisfies Partial<SettingsInput>;

/** The same in China regions, as far as their documentation says that it works there. */
export const productionInChina = {
  ...production,
  // X-Ray traces no functions in China regions: https://docs.amazonaws.cn/en_us/aws/latest/userguide/lambda.html
  tracing: false,
  // Whether Lambda has arm64 there is not documented.
  architecture: 'x86_64',
  // Sources disagree on what CodeDeploy's service principal is called there: on once somebody has tried it.
  gradualDeployment: false,
} as const satisfies Partial<SettingsInput>;
