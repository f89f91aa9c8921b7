/** The templates that a team keeps of its stages. New versions of this project never have a file there. */
import { existsSync, readFileSync } from 'node:fs';
import type { StageSettings } from '../../lib/settings.ts';
import { destructiveChanges } from './destructive-changes.ts';
import { comparable, synthesize } from './stage-template.ts';

/** Where the template of a stage is, if it was recorded. */
export const recordedTemplate = (stage: string): URL =>
  new URL(`../../recorded-templates/${stage}.template.json`, import.meta.url);

/** What a stage would lose if it were deployed over what was recorded of it, if anything was. */
export function lossesOf(stage: string, settings: StageSettings): readonly string[] {
  const file = recordedTemplate(stage);
  if (!existsSync(file)) return [];
  const { template } = synthesize(stage, settings);
  return destructiveChanges(JSON.parse(readFileSync(file, 'utf8')), comparable(template));
}
