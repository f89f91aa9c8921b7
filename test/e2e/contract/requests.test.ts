/** Requests out of the document: what it allows is not refused as malformed, and what it forbids is. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { JsonSchema } from '../../../bin/openapi/schemas.ts';
import { type Route, routes } from '../../../functions/contracts/routes.ts';
import { expectCleanLogs, keepSecret, logIn } from '../service.ts';
import { createContractCheck, readDocument } from './contract-check.ts';

const document = readDocument();
const contract = createContractCheck(document);
const ajv = formats.default(new Ajv2020({ strict: false }));
const schemas = document.components.schemas as Readonly<Record<string, JsonSchema>>;

/** The routes that read a body, with its schema. */
const readers = (routes as readonly Route[])
  .filter(({ request }) => request !== undefined)
  .map(({ operationId, method, path }) => {
    const { requestBody } = document.paths[path]?.[method.toLowerCase()] ?? {};
    const [, name = ''] = /([^/]+)$/.exec(requestBody?.content['application/json']?.schema.$ref ?? '') ?? [];
    return { operationId, method, path, schema: schemas[name] ?? {} };
  });

let token: string;
beforeAll(async () => {
  token = keepSecret((await logIn()).token);
});
afterAll(expectCleanLogs);

/** Of a request that is told to come again: a busy machine lets a call to the database take longer than it may. */
const TRIES = 5;

/** Sends a body; answers the status, and what of the response is not documented. */
async function send(reader: (typeof readers)[number], contentType: string, body: string, tries = TRIES) {
  const { method, path } = reader;
  // Of its own for a logout, which would end the others' login.
  const bearer = path === '/member/logout' ? (await logIn()).token : token;
  const response = await fetch(inject('baseUrl') + path, {
    method,
    headers: { authorization: `Bearer ${bearer}`, 'content-type': contentType },
    body,
  });
  const { status, headers } = response;
  const text = await response.text();
  if (headers.has('retry-after') && tries > 1) return send(reader, contentType, body, tries - 1);
  return { status, problems: contract.see({ method, path, status, headers: [...headers], body: text }) };
}

const isMember = (schema: JsonSchema, value: unknown): boolean => ajv.validate(schema, value);

/** A value that the schema of a member allows, and that means something: rules that only words say are kept. */
function allowed(name: string, schema: JsonSchema): fc.Arbitrary<unknown> {
  const texts = /avatar/i.test(name)
    ? fc.oneof(fc.webUrl({ validSchemes: ['https'], withQueryParameters: true }), fc.constant(''))
    : /^nick/.test(name)
      ? fc.string({ unit: 'grapheme', maxLength: 70 }).map((text) => `名${text}`)
      : fc.stringMatching(/^[\x21-\x7e]{1,256}$/);
  // Nobody serves a mini-program of a random name.
  const values = /^appid$/i.test(name)
    ? fc.constantFrom(null, ...inject('miniPrograms').map(({ appid }) => appid))
    : fc.oneof(
        fc.jsonValue({ maxDepth: 1 }),
        texts,
        fc.constantFrom(true, false, 'true', 'false', 0, 1, 2, '', null),
      );
  return values.filter((value) => isMember(schema, value));
}

/** A value that the schema of a member forbids, with or without the white space around it. */
const forbidden = (schema: JsonSchema): fc.Arbitrary<unknown> =>
  fc
    .oneof(
      fc.jsonValue({ maxDepth: 1 }),
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.string({ minLength: 65, maxLength: 300 }),
      fc.webUrl({ validSchemes: ['http', 'ftp'] }),
    )
    .filter(
      (value) =>
        !isMember(schema, typeof value === 'string' ? value.trim() : value) && !isMember(schema, value),
    );

/** The same as a form; undefined where a form would say something else. */
function asForm(body: Readonly<Record<string, unknown>>): string | undefined {
  const isSame = Object.values(body).every(
    (value) =>
      ['string', 'number', 'boolean'].includes(typeof value) && value !== 'null' && value !== 'undefined',
  );
  if (!isSame) return undefined;
  const fields = Object.entries(body).map(([name, value]): [string, string] => [name, String(value)]);
  return new URLSearchParams(fields).toString();
}

/** Of what takes time: a logout needs a login, and a code that WeChat does not know may be a twin's, for a second. */
const runs: Readonly<Record<string, number>> = { logOut: 15, bindPhone: 5 };

const isConstrained = ([, { type, anyOf }]: readonly [string, JsonSchema]): boolean => Boolean(type ?? anyOf);

describe.each(readers.map((reader) => [reader.operationId, reader] as const))('%s', (_, reader) => {
  const members = Object.entries(reader.schema.properties ?? {});
  const required = reader.schema.required ?? [];
  const conforming = fc.record(
    Object.fromEntries(members.map(([name, schema]) => [name, allowed(name, schema)])),
    { requiredKeys: [...required] },
  );
  const named = conforming.filter((body) => Object.values(body).some((value) => value !== null));
  const bodies = reader.method === 'PUT' ? named : conforming;

  it('takes what the document allows, as JSON and as a form', async () => {
    const property = fc.asyncProperty(bodies, fc.boolean(), async (body, wantsForm) => {
      const form = wantsForm ? asForm(body) : undefined;
      const { status, problems } = await (form === undefined
        ? send(reader, 'application/json', JSON.stringify(body))
        : send(reader, 'application/x-www-form-urlencoded', form));
      expect(problems).toEqual([]);
      expect([400, 413, 415]).not.toContain(status);
    });
    await fc.assert(property, { numRuns: runs[reader.operationId] ?? 60 });
  });

  it.each(members.filter(isConstrained))('refuses what the document forbids of %s', async (name, schema) => {
    await fc.assert(
      fc.asyncProperty(bodies, forbidden(schema), async (body, wrong) => {
        const { status, problems } = await send(
          reader,
          'application/json',
          JSON.stringify({ ...body, [name]: wrong }),
        );
        expect(problems).toEqual([]);
        expect(status).toBe(400);
      }),
      { numRuns: 25 },
    );
  });

  it.each(required)('refuses a body without %s', async (name) => {
    const { status, problems } = await send(
      reader,
      'application/json',
      JSON.stringify({ [`not ${name}`]: 1 }),
    );
    expect({ status, problems }).toEqual({ status: 400, problems: [] });
  });
});
