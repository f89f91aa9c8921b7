/** JSON Schemas out of the contract's valibot schemas, with what each member means. */
import { toJsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';
import { members } from './texts.ts';

/** A JSON Schema, as far as ours go. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly minProperties?: number;
  readonly examples?: readonly unknown[];
}

/** Converts schemas, and knows at the end whose texts nobody needed. */
export interface SchemaWriter {
  /** What a client sends. */
  request(operationId: string, schema: GenericSchema): JsonSchema;
  /** What a client gets. */
  response(operationId: string, schema: GenericSchema): JsonSchema;
  unusedTexts(): readonly string[];
}

/** Creates it. Its methods throw for a member that has no text, and for a schema that JSON Schema cannot say. */
export function createSchemaWriter(): SchemaWriter {
  const unused = new Set(Object.keys(members));

  const describe = (operationId: string, schema: JsonSchema): JsonSchema => {
    const { properties, anyOf, items } = schema;
    return {
      ...schema,
      ...(anyOf && { anyOf: anyOf.map((each) => describe(operationId, each)) }),
      ...(items && { items: describe(operationId, items) }),
      ...(properties && {
        properties: Object.fromEntries(
          Object.entries(properties).map(([name, member]) => {
            const key = [`${operationId}.${name}`, name].find((each) => each in members) ?? name;
            const text = members[key];
            if (text === undefined) throw new Error(`No text in bin/openapi/texts.ts says what ${name} is`);
            unused.delete(key);
            const { description, example } = text;
            return [name, { ...describe(operationId, member), description, examples: [example] }];
          }),
        ),
      }),
    };
  };

  const write =
    (typeMode: 'input' | 'output') =>
    (operationId: string, schema: GenericSchema): JsonSchema => {
      // What only our code can check is said in metadata, or in words.
      const written = toJsonSchema(schema, {
        target: 'draft-2020-12',
        typeMode,
        ignoreActions: ['check'],
      });
      const { $schema: _, ...rest } = written as JsonSchema & { $schema?: string };
      return describe(operationId, rest);
    };

  return { request: write('input'), response: write('output'), unusedTexts: () => [...unused] };
}

/** A value that a schema allows, out of the examples of its members. */
export function exampleOf(schema: JsonSchema): unknown {
  if (schema.examples !== undefined) return schema.examples[0];
  if (schema.const !== undefined) return schema.const;
  if (schema.anyOf !== undefined) return exampleOf(schema.anyOf[0] ?? {});
  const named = Object.entries(schema.properties ?? {});
  return Object.fromEntries(named.map(([name, member]) => [name, exampleOf(member)]));
}
