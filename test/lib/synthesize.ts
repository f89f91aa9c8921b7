/** Synthesizes a stage in the test's own process, without bundling the functions. */
import { readFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { settingsFor } from '../../lib/config.ts';
import { WechatLoginStack } from '../../lib/login-stack.ts';

const { context } = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'));

/** What may differ from a stage as it stands; `region` makes the stack a regional one. */
export interface Variation {
  readonly region?: string;
  readonly settings?: object;
}

/** The template of a stage. */
export function synthesize(stage: string, variation?: Variation): Template {
  return Template.fromStack(stackOf(stage, variation));
}

/** The stack of a stage. */
export function stackOf(stage: string, { region, settings }: Variation = {}): WechatLoginStack {
  const app = new App({ context: { ...context, 'aws:cdk:bundling-stacks': [] } });
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
    .replaceAll(/(Deployment[0-9A-F]{8})[0-9a-f]{32}/g, '$1<hash>')
    .replaceAll(/"Analytics": "[^"]*"/g, '"Analytics": "<analytics>"');
}
