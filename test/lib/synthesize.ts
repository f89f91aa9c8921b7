/** Synthesizes a stage in the test's own process, without bundling the functions. */
import { Template } from 'aws-cdk-lib/assertions';
import { stackOf as stackWith } from '../../bin/templates/stage-template.ts';
import type { WechatLoginStack } from '../../lib/login-stack.ts';
import { settingsFor } from '../fixtures/stages.ts';

/** Settings that bring in every part a stage may have. */
export const everything = {
  protectData: true,
  encryptionKey: true,
  webAcl: true,
  gradualDeployment: true,
  tracing: true,
  fixedEgressAddresses: 2,
  reservedConcurrency: { login: 50, authorizer: 100 },
  provisionedConcurrency: { login: 2, authorizer: 5 },
  memoryMb: { login: 2048, authorizer: 1024 },
  customDomain: {
    name: 'login.example.com',
    certificateArn: 'arn:aws:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef',
  },
  consumerAccounts: ['111111111111'],
  alarmEmails: { urgent: ['night@example.com'], notice: ['day@example.com'] },
  monthlyBudget: { amount: 500, currency: 'USD' },
  logRetentionDays: 90,
  runbookUrl: 'https://wiki.example.com/login',
} as const;

/** Settings that leave out every part a stage can do without. */
export const nothing = {
  protectData: false,
  encryptionKey: false,
  webAcl: false,
  gradualDeployment: false,
  tracing: false,
  checkRevocation: false,
  fixedEgressAddresses: 0,
  apiGatewayLogRole: false,
  reservedConcurrency: {},
} as const;

/** Settings that have another value than a stage comes with, and leave every part that `dev` has. */
export const different = {
  throttle: { requestsPerSecond: 7, burst: 8 },
  loginThrottle: { requestsPerSecond: 3, burst: 4 },
  encryptionKey: true,
  architecture: 'x86_64',
  tracing: false,
  fixedEgressAddresses: 1,
  keyRotationDays: 10,
  publicUrl: 'https://login.example.com',
} as const;

/** What may differ from a stage as it stands; `region` makes the stack a regional one. */
export interface Variation {
  readonly region?: string;
  readonly settings?: object;
}

const templates = new Map<string, Template>();

/** The template of a stage; the same one for the same stage and variation. */
export function synthesize(stage: string, variation: Variation = {}): Template {
  const key = JSON.stringify([stage, variation]);
  const template = templates.get(key) ?? Template.fromStack(stackOf(stage, variation));
  templates.set(key, template);
  return template;
}

/** The stack of a stage. */
export function stackOf(stage: string, { region, settings }: Variation = {}): WechatLoginStack {
  return stackWith(stage, settingsFor(stage, settings), region);
}
