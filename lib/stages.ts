/** The settings of a stage by its name, checked. */
import { stages as stagesOfTeam } from './config.ts';
import { parseSettings, SettingsError, type StageSettings } from './settings.ts';

/** Stages by name, as a team writes them. */
export type Stages = Readonly<Record<string, object>>;

/** What can be part of the names that AWS gives to a stage's resources. */
const STAGE_NAME = /^[a-z][a-z0-9-]{0,31}$/;

/** All stage names. */
export const stageNames = Object.keys(stagesOfTeam);

/**
 * The settings of a stage.
 *
 * @param overrides members that replace the stage's own, as the object (or its JSON text) of `-c settings=…`; null
 *   leaves one out
 * @throws SettingsError naming the stage or the setting, its value and what is allowed
 */
export function settingsFor(
  stage: string,
  overrides?: unknown,
  stages: Stages = stagesOfTeam,
): StageSettings {
  const own = Object.hasOwn(stages, stage) ? stages[stage] : undefined;
  if (own === undefined)
    throw new SettingsError(
      `There is no stage '${stage}' in lib/config.ts; it has ${Object.keys(stages).join(', ')}`,
    );
  if (!STAGE_NAME.test(stage))
    throw new SettingsError(
      `Stage '${stage}' in lib/config.ts cannot be deployed: a name is up to 32 lower-case letters, digits and hyphens, and begins with a letter`,
    );
  const settings = Object.entries({ ...own, ...objectFrom(overrides) });
  return parseSettings(
    Object.fromEntries(settings.filter(([, value]) => value !== null)),
    `Stage '${stage}': `,
  );
}

function objectFrom(overrides: unknown): object {
  const value = typeof overrides === 'string' ? jsonFrom(overrides) : overrides;
  if (value === undefined) return {};
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw notAnObject(JSON.stringify(value));
}

function jsonFrom(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notAnObject(text);
  }
}

const notAnObject = (text: string): SettingsError =>
  new SettingsError(`-c settings=… must be a JSON object; it is ${text}`);
