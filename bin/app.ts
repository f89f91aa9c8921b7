/** The CDK entry point: turns `-c stage=…` (and `-c settings=…`) into one stack. */
import { App } from 'aws-cdk-lib';
import { serviceName } from '../functions/contracts/metrics.ts';
import { settingsFor } from '../lib/config.ts';
import { WechatLoginStack } from '../lib/login-stack.ts';

const app = new App();
const stage: string = app.node.tryGetContext('stage') ?? 'dev';

new WechatLoginStack(app, `WechatLogin-${stage}`, {
  stage,
  // Cost allocation tag.
  tags: { service: serviceName(stage) },
  settings: settingsFor(stage, app.node.tryGetContext('settings')),
});
