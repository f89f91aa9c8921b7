/** `npm run openapi`: writes docs/openapi.json and the client's types, which are made of the contract. */
import { writeFileSync } from 'node:fs';
import { defineCommand, runIfMain } from './command/command.ts';
import { contractFiles } from './openapi/files.ts';

export const run = defineCommand({
  usage: 'Usage: npm run openapi',
  options: {},
  body: async () => {
    for (const [path, text] of Object.entries(contractFiles())) writeFileSync(path, text);
    return 0;
  },
});

await runIfMain(import.meta, run);
