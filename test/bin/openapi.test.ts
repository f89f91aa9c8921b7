/** docs/openapi.json and the client's types: made of the contract, up to date, and right by OpenAPI's own rules. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { contractFiles } from '../../bin/openapi/files.ts';
import { createSchemaWriter } from '../../bin/openapi/schemas.ts';
import { errorCatalogue } from '../../functions/contracts/errors.ts';
import { profileChanges } from '../../functions/contracts/http/profile-changes.ts';
import { requestRules } from '../../functions/contracts/http/request-rules.ts';

interface MediaType {
  readonly schema: object;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

const files = contractFiles();
const [text = ''] = Object.entries(files).flatMap(([path, made]) => (path.endsWith('.json') ? [made] : []));
const document = JSON.parse(text);

it.each(Object.entries(files))('%s is what `npm run openapi` makes of the contract', (path, made) => {
  expect(readFileSync(path, 'utf8')).toBe(made);
});

it('is valid OpenAPI 3.1', async () => {
  expect(await new Validator().validate(document)).toEqual({ valid: true });
});

describe('the linter', () => {
  const require = createRequire(import.meta.url);
  const linter = require.resolve('@redocly/cli/bin/cli.js');

  /** What Redocly's strict rules find in documents: the rule and the file. */
  function lint(documents: Readonly<Record<string, string>>): string[] {
    const folder = mkdtempSync(join(tmpdir(), 'openapi-'));
    try {
      for (const [file, linted] of Object.entries(documents)) writeFileSync(join(folder, file), linted);
      const { stdout, stderr } = spawnSync(
        process.execPath,
        [
          linter,
          'lint',
          '--extends=recommended-strict',
          '--format=github-actions',
          ...Object.keys(documents),
        ],
        {
          cwd: folder,
          encoding: 'utf8',
          // It calls home otherwise.
          env: { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
        },
      );
      expect(stderr).toContain('ours.json: validated');
      return stdout.match(/(?<=title=)[^,]+,file=[^,]+/g) ?? [];
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  it('has nothing to say, and would say what is missing', () => {
    const broken = text.replace('"operationId": "logIn",', '');

    expect(lint({ 'ours.json': text, 'broken.json': broken })).toEqual([
      'operation-operationId,file=broken.json',
    ]);
  });
});

it('has examples that its schemas allow', () => {
  const ajv = formats.default(new Ajv2020({ strict: false }));
  ajv.addSchema(document, 'document');
  let examples = 0;
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const { schema, example, examples: named } = value as MediaType;
    if (typeof schema === 'object' && (example !== undefined || named !== undefined)) {
      const validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"document#/')));
      const all = named === undefined ? [example] : Object.values(named).map((each) => each.value);
      for (const each of all) expect(validate(each), JSON.stringify(each)).toBe(true);
      examples += all.length;
    }
    for (const inner of Object.values(value)) visit(inner);
  };
  visit(document);
  expect(examples).toBeGreaterThan(150);
});

it('gives both languages of every error and of every rule', () => {
  const isSaid = (words: string) => text.includes(JSON.stringify(words).slice(1, -1));
  // API Gateway has one text for every denial.
  const { token_revoked: _, ...others } = errorCatalogue;
  for (const { zh, en } of Object.values(others)) expect([zh, en].map(isSaid)).toEqual([true, true]);
  for (const rule of Object.values(requestRules))
    if ('detail' in rule) expect([rule.detail.zh, rule.detail.en].map(isSaid)).toEqual([true, true]);
});

it('counts the characters of a nickname as people do', () => {
  const { properties } = document.components.schemas.ProfileChanges;
  const [{ maxLength }] = properties.nickname.anyOf;
  const takes = (length: number) => v.safeParse(profileChanges, { nickname: '🦊'.repeat(length) }).success;

  expect([takes(maxLength), takes(maxLength + 1)]).toEqual([true, false]);
});

describe('a member of the contract', () => {
  it('without a text stops the document', () => {
    const writer = createSchemaWriter();

    expect(() => writer.response('logIn', v.object({ unexplained: v.string() }))).toThrow(
      'what unexplained is',
    );
  });

  it('that is gone leaves a text that nobody needs', () => {
    const writer = createSchemaWriter();
    writer.response('logIn', v.object({ token: v.string() }));

    expect(writer.unusedTexts()).not.toContain('token');
    expect(writer.unusedTexts()).toContain('jwks_uri');
  });
});
