/** Synthesizes a stage in the test's own process, without bundling the functions. */
import { readFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { WechatLoginStack } from '../../lib/login-stack.ts';
import { settingsFor } from '../fixtures/stages.ts';

const { context } = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'));

/** Settings that bring in every part a stage may have. */
export const everything = {
  protectData: true,
  encryptionKey: true,
  webAcl: true,
  gradualDeployment: true,
  tracing: true,
  fixedEgressAddresses: 2,
  reservedConcurrency: { login: 50, authorizer: 100 },
  customDomain: {
    name: 'login.example.com',
    certificateArn: 'arn:aws:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef',
  },
  consumerAccounts: ['111111111111'],
  alarmEmails: { urgent: ['night@example.com'], notice: ['day@example.com'] },
  monthlyBudget: { amount: 500, currency: 'USD' },
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
  const app = new App({
    context: { ...context, 'aws:cdk:bundling-stacks': [] },
  });
  return new WechatLoginStack(app, `WechatLogin-${stage}`, {
    stage,
    settings: settingsFor(stage, settings),
    ...(region !== undefined && { env: { region, account: '123456789012' } }),
  });
}

/** The template as text that does not change with the functions' code. */
export function normalized(template: Template): string {
  return JSON.stringify(template.toJSON(), undefined, 2)
    .replaceAll(/\b[0-9a-f]{64}\b/g, '<asset>')
    .replaceAll(/((?:Deployment|CurrentVersion)[0-9A-F]{8})[0-9a-f]{32}/g, '$1<hash>')
    .replaceAll(/"Analytics": "[^"]*"/g, '"Analytics": "<analytics>"');
}
