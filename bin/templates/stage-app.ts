/** From the context of the CDK app, `stage` and `settings`, to the one stack in it, or to what is wrong with them. */
import { Annotations, type App } from 'aws-cdk-lib';
import { gapsBeforeLaunch, refuseExampleAppid } from '../../lib/before-launch.ts';
import { WechatLoginStack } from '../../lib/login-stack.ts';
import { SettingsError, type StageSettings } from '../../lib/settings.ts';
import { settingsFor } from '../../lib/stages.ts';
import { stackName } from './stack-name.ts';

/**
 * The CDK CLI says to which account and region its credentials lead; without any it makes the region up.
 *
 * @throws SettingsError
 */
function refuseOtherRegion(stage: string, { customDomain }: StageSettings): void {
  const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;
  const regionOfCertificate = customDomain?.certificateArn.split(':')[3];
  if (!account || !region || regionOfCertificate === undefined || regionOfCertificate === region) return;
  throw new SettingsError(
    `Stage '${stage}': setting 'customDomain.certificateArn' is a certificate of ${regionOfCertificate}, and the deployment goes to ${region}: make a certificate there, or set AWS_REGION=${regionOfCertificate}`,
  );
}

/**
 * Adds the stack of the stage that the context names.
 *
 * @throws SettingsError
 */
export function addStack(app: App): void {
  const stage: string = app.node.tryGetContext('stage') ?? 'dev';
  const settings = settingsFor(stage, app.node.tryGetContext('settings'));
  refuseExampleAppid(stage, settings);
  refuseOtherRegion(stage, settings);
  const stack = new WechatLoginStack(app, stackName(stage), { stage, settings });
  for (const { setting, consequence } of gapsBeforeLaunch(settings))
    Annotations.of(stack).addWarningV2(
      `wechat-login:${setting}`,
      `'${setting}' is not set for stage '${stage}' in lib/config.ts: ${consequence}`,
    );
}
