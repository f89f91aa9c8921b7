/**
 * Puts the address that phones know in place of 127.0.0.1 in a synthesized template. The stage's settings refuse plain
 * http where others could listen in, which a run for phones of the same network is.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Rewrites the templates of an assembly. Functions refuse to fetch keys by plain http too, so a value that leads below
 * the address keeps it; the documents, which are text in a longer value, do not.
 */
export function publishAt(publicUrl: string, url: string, assembly: string): void {
  for (const name of globSync('*.template.json', { cwd: assembly })) {
    const file = path.join(assembly, name);
    const template = JSON.stringify(JSON.parse(readFileSync(file, 'utf8')), (_, value: unknown) =>
      typeof value === 'string' && !value.startsWith(`${url}/`) ? value.replaceAll(url, publicUrl) : value,
    );
    writeFileSync(file, template);
  }
}
