/**
 * The stages: the one file a team edits before it deploys, and which new versions of this project leave alone.
 * `lib/settings.ts` says what each setting means, `lib/defaults.ts` what it is unless it is set here.
 */
import { defaults, production, productionInChina } from './defaults.ts';
import type { SettingsInput } from './settings.ts';

/** What all your stages have in common. Put your mini-program's AppID here. */
const everywhere: SettingsInput = {
  ...defaults,
  appids: ['wx0123456789abcdef'],
};

/** Each is deployed with `cdk deploy -c stage=<name>`; the local run is synthesized from `dev`. */
export const stages: Readonly<Record<string, SettingsInput>> = {
  dev: { ...everywhere },
  staging: { ...everywhere },
  prod: { ...everywhere, ...production },
  'prod-cn': { ...everywhere, ...productionInChina },
};
