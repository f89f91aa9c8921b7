/** What the guide for other languages shows is what `npm run test:recipes` runs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../../fixtures/installed-package.ts';

const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const withoutSpace = (text: string): string => text.replace(/\s+/g, '');

it.each([
  ['java', 1, 'spring-boot/src/main/java/orders/OrdersApplication.java'],
  ['go', 2, 'go/main.go'],
  ['python', 1, 'python/main.py'],
  ['yaml', 1, 'envoy/envoy.yaml'],
  ['lua', 1, 'envoy/envoy.yaml'],
])('shows %s code that is in the recipe', (language, count, file) => {
  const guide = read('docs/verify-anywhere.md');
  const shown = [...guide.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))];

  expect(shown).toHaveLength(count);
  for (const [, code = ''] of shown)
    expect(withoutSpace(read(`examples/verify/${file}`))).toContain(withoutSpace(code));
});

it('names the versions that the recipes install', () => {
  const table = read('docs/verify-anywhere.md');
  const pinned = [
    ...read('examples/verify/python/requirements.txt').matchAll(/^(?:fastapi|PyJWT).*==(.*)$/gm),
    ...read('examples/verify/envoy/requirements.txt').matchAll(/==(.*)$/gm),
    ...read('examples/verify/go/go.mod').matchAll(/(?:keyfunc|jwt)\/v\d v(.*)$/gm),
    ...read('examples/verify/spring-boot/pom.xml').matchAll(/<parent>.*?<version>(.*?)</gs),
  ].map(([, version]) => version);

  expect(pinned).toHaveLength(6);
  for (const version of pinned) expect(table).toContain(version);
});
