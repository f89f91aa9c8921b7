/** `npm run openapi`: writes docs/openapi.json and the client's types, which are made of the contract. */
import { writeFileSync } from 'node:fs';
import { contractFiles } from './openapi/files.ts';

for (const [path, text] of Object.entries(contractFiles())) writeFileSync(path, text);
