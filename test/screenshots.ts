/** `npm run screenshots`: the pictures that the documentation shows, made in Chromium. */
import { defineCommand, runIfMain } from '../bin/command/command.ts';

const USAGE = `Usage: npm run screenshots
Checks the example mini-program's pages in Chromium, and makes the pictures of them and of the local run's page.`;

const run = defineCommand({
  usage: USAGE,
  options: {},
  body: async () => {
    await import('./examples/rendering/screenshots.ts');
    await import('./browser/screenshots.ts');
    return 0;
  },
});

await runIfMain(import.meta, run);
