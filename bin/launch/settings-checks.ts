/** Settings that are still as they come. */
import { gapsBeforeLaunch, refuseExampleAppid } from '../../lib/before-launch.ts';
import { SettingsError, type StageSettings } from '../../lib/settings.ts';
import { type Check, Problem, Remark } from '../command/check.ts';

export function settingsChecks(stage: string, settings: StageSettings): Check[] {
  return [
    { name: 'appids', look: async () => ownAppids(stage, settings) },
    ...gapsBeforeLaunch(settings).map(({ setting, consequence }) => ({
      name: setting,
      look: () => Promise.reject(new Remark(`is not set in lib/config.ts: ${consequence}`)),
    })),
  ];
}

function ownAppids(stage: string, settings: StageSettings): string {
  try {
    refuseExampleAppid(stage, settings);
  } catch (error) {
    throw error instanceof SettingsError ? new Problem(error.message) : error;
  }
  return settings.appids.join(', ');
}
