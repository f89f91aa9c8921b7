/** The files that are made of the contract, by their paths. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { clientTypes } from './client-types.ts';
import { openApiDocument } from './document.ts';

const pathOf = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url));

/** Makes their texts. */
export function contractFiles(): Readonly<Record<string, string>> {
  const { version } = JSON.parse(readFileSync(pathOf('package.json'), 'utf8')) as { version: string };
  const document = openApiDocument(version);
  return {
    [pathOf('docs/openapi.json')]: `${JSON.stringify(document, undefined, 2)}\n`,
    [pathOf('packages/mini-program/src/api-types.ts')]: clientTypes(document.components.schemas),
  };
}
