/** What a stage with users must not, or should not, be deployed without. */
import { isLocal, SettingsError, type StageSettings } from './settings.ts';

/** The AppID that `lib/config.ts` comes with: nobody's. */
export const EXAMPLE_APPID = 'wx0123456789abcdef';

/**
 * Refuses to deploy an example in place of a team's own mini-program. A stage that is only tried out, and a local run,
 * may have it.
 *
 * @throws SettingsError
 */
export function refuseExampleAppid(stage: string, settings: StageSettings): void {
  const { appids, protectData, publicUrl } = settings;
  if (protectData && !isLocal(publicUrl) && appids.includes(EXAMPLE_APPID))
    throw new SettingsError(
      `Stage '${stage}': setting 'appids' still names ${EXAMPLE_APPID}, which is an example and nobody's: write the AppID that your mini-program console shows into appids in lib/config.ts`,
    );
}

/** A setting that a stage with users should have. */
export interface Gap {
  readonly setting: string;
  /** What it means that it is not set. */
  readonly consequence: string;
}

/** What is still as it comes; nothing for a stage that is only tried out. */
export function gapsBeforeLaunch(settings: StageSettings): readonly Gap[] {
  const { protectData, customDomain, publicUrl, alarmEmails, runbookUrl } = settings;
  if (!protectData) return [];
  const gaps: readonly (Gap | false)[] = [
    customDomain === undefined &&
      publicUrl === undefined && {
        setting: 'customDomain',
        consequence:
          "tokens name API Gateway's own address as their issuer: a domain that is set later ends every login, and WeChat lets mini-programs call only domains with an ICP filing",
      },
    alarmEmails.urgent.length === 0 && {
      setting: 'alarmEmails.urgent',
      consequence: 'nobody is woken when logins fail',
    },
    alarmEmails.notice.length === 0 && {
      setting: 'alarmEmails.notice',
      consequence: 'nobody is told when a rotation fails or requests are throttled',
    },
    !URL.canParse(runbookUrl) && {
      setting: 'runbookUrl',
      consequence: `alarms link to '${runbookUrl}', which nobody can open from an e-mail`,
    },
  ];
  return gaps.filter((gap) => gap !== false);
}
