import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { publishAt } from '../../local/public-address.ts';

it('changes the issuer and what the documents say, not where functions fetch keys', () => {
  const folder = mkdtempSync(join(tmpdir(), 'assembly-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'Login.template.json');
  const templateAt = (issuer: string) => ({
    issuer,
    document: JSON.stringify({ issuer, jwks_uri: `${issuer}/.well-known/jwks.json` }),
    keys: 'http://127.0.0.1:3000/.well-known/jwks.json',
  });
  writeFileSync(file, JSON.stringify(templateAt('http://127.0.0.1:3000')));

  publishAt('http://192.168.1.5:3000', 'http://127.0.0.1:3000', folder);

  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(templateAt('http://192.168.1.5:3000'));
});
