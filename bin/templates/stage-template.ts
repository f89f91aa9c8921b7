/** The stack of a stage without its functions' code, and its template in a form that can be compared with another. */
import { readFileSync } from 'node:fs';
import { App, Stage } from 'aws-cdk-lib';
import { WechatLoginStack } from '../../lib/login-stack.ts';
import type { StageSettings } from '../../lib/settings.ts';
import type { CfnTemplate } from './service-spec.ts';
import { stackName } from './stack-name.ts';

const { context } = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'));

/** Leaves out what takes the most time and is in no template: bundles, where each construct was made, and their tree. */
export const withoutDetours = {
  context: { ...context, 'aws:cdk:bundling-stacks': [], 'aws:cdk:disable-creation-stack-traces': true },
  treeMetadata: false,
};

/** The stack of a stage, in no region unless one is given. */
export function stackOf(stage: string, settings: StageSettings, region?: string): WechatLoginStack {
  const app = new App(withoutDetours);
  return new WechatLoginStack(app, stackName(stage), {
    stage,
    settings,
    ...(region !== undefined && { env: { region, account: '123456789012' } }),
  });
}

/** A synthesized stage. */
export interface StageTemplate {
  readonly template: object;
  /** What `cdk bootstrap` must have made at least. */
  readonly bootstrapVersion: number;
}

/** Synthesizes the stack of a stage. */
export function synthesize(stage: string, settings: StageSettings): StageTemplate {
  const stack = stackOf(stage, settings);
  const artifact = Stage.of(stack)?.synth().getStackArtifact(stack.artifactId);
  return { template: artifact?.template, bootstrapVersion: artifact?.requiresBootstrapStackVersion ?? 0 };
}

/** The template as text that does not change with the functions' code. */
export function normalized(template: object): string {
  return JSON.stringify(template, undefined, 2)
    .replaceAll(/\b[0-9a-f]{64}\b/g, '<asset>')
    .replaceAll(/((?:Deployment|CurrentVersion)[0-9A-F]{8})[0-9a-f]{32}/g, '$1<hash>')
    .replaceAll(/"Analytics": "[^"]*"/g, '"Analytics": "<analytics>"');
}

/** The same to work with. */
export const comparable = (template: object): CfnTemplate => JSON.parse(normalized(template)) as CfnTemplate;
