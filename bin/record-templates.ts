/**
 * `npm run record-templates`: keeps the templates of a team's own stages, which `npm test` then protects: what would
 * remove or replace anything that holds data fails it.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { settingsFor, stageNames } from '../lib/stages.ts';
import { defineCommand, print, runIfMain } from './command/command.ts';
import { CommandError } from './command/errors.ts';
import { lossesOf, recordedTemplate } from './templates/recorded.ts';
import { normalized, synthesize } from './templates/stage-template.ts';

const USAGE = `Usage: npm run record-templates
Writes recorded-templates/<stage>.template.json for every stage of lib/config.ts: commit them.`;

export const run = defineCommand({
  usage: USAGE,
  options: {},
  body: async (_given, { stdout }) => {
    for (const stage of stageNames) {
      const file = recordedTemplate(stage);
      const losses = lossesOf(stage, settingsFor(stage));
      if (losses.length > 0)
        throw new CommandError(
          `Stage '${stage}' would lose data: ${losses.join('; ')}. If you mean it, delete ${fileURLToPath(file)} and run this again.`,
        );
      mkdirSync(new URL('.', file), { recursive: true });
      writeFileSync(file, `${normalized(synthesize(stage, settingsFor(stage)).template)}\n`);
      print(stdout, `recorded ${stage}`);
    }
    return 0;
  },
});

await runIfMain(import.meta, run);
