/** The CDK entry point: turns `-c stage=…` (and `-c settings=…`) into one stack. */
import { App } from 'aws-cdk-lib';
import { SettingsError } from '../lib/settings.ts';
import { addStack } from './templates/stage-app.ts';

try {
  addStack(new App());
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  process.stderr.write(`${error.message}\n`);
  // At once: the app would still synthesize what there is of it.
  process.exit(1);
}
