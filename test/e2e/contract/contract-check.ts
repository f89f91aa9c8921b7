/**
 * Compares what the service has responded with docs/openapi.json, in both directions: nothing that is not documented, and
 * nothing documented that does not occur.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { JsonSchema } from '../../../bin/openapi/schemas.ts';
import { errorsOf, errorsOfNoRoute, type Route, routes } from '../../../functions/contracts/routes.ts';
import type { RecordedResponse } from './recorded-responses.ts';

interface ResponseObject {
  readonly headers: Readonly<Record<string, { readonly required: boolean; readonly schema: object }>>;
  readonly content: Readonly<
    Record<
      string,
      {
        readonly schema: JsonSchema;
        readonly examples?: Readonly<Record<string, { readonly value: { readonly msg: string } }>>;
      }
    >
  >;
}

interface Operation {
  readonly operationId: string;
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> };
  readonly responses: Readonly<Record<string, ResponseObject>>;
}

/** The document, its references followed: those to schemas stay, for the validator. */
export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly 'x-other-requests': Pick<Operation, 'responses'>;
  readonly components: Readonly<Record<string, unknown>>;
}

const file = fileURLToPath(new URL('../../../docs/openapi.json', import.meta.url));

/** Reads the committed document. */
export const readDocument = (): OpenApiDocument => JSON.parse(readFileSync(file, 'utf8'));

/** Headers of HTTP and of API Gateway's own, which the document explains once. */
const ofTheTransport = [
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'transfer-encoding',
  'x-amz-apigw-id',
  'x-amzn-errortype',
  'x-amzn-requestid',
  'x-amzn-trace-id',
];

/** What was seen of a run so far. */
export interface ContractCheck {
  /** What of a response is not documented; empty when all is. */
  see(response: RecordedResponse): string[];
  /** What is documented and has not been seen. */
  unseen(): string[];
}

/** Creates a check that has seen nothing. */
export function createContractCheck(document: OpenApiDocument): ContractCheck {
  const ajv = formats.default(new Ajv2020({ strict: false, allErrors: true }));
  ajv.addSchema(document, 'document');
  const validators = new Map<string, ValidateFunction>();
  const seen = new Set<string>();
  const patterns = Object.keys(document.paths).map(
    (path) => [new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`), path] as const,
  );

  const resolve = <T>(value: T | { readonly $ref: string }): T => {
    if (typeof value !== 'object' || value === null || !('$ref' in value)) return value as T;
    const [, kind = '', name = ''] = /^#\/components\/(\w+)\/(.+)$/.exec(value.$ref) ?? [];
    return resolve((document.components[kind] as Record<string, T>)[name] as T);
  };

  /** The responses that are documented for a request, and how they are called here. */
  const documentedFor = ({ method, path }: RecordedResponse) => {
    const known = patterns.find(([pattern]) => pattern.test(path))?.[1];
    const operation = document.paths[known ?? '']?.[method.replace('HEAD', 'GET').toLowerCase()];
    return operation === undefined
      ? { name: 'no route', responses: document['x-other-requests'].responses }
      : { name: operation.operationId, responses: operation.responses };
  };

  const validatorOf = (name: string, status: number, schema: JsonSchema): ValidateFunction => {
    const key = `${name} ${status}`;
    const text = JSON.stringify(schema).replaceAll('"#/', '"document#/');
    const validator = validators.get(key) ?? ajv.compile(JSON.parse(text) as JsonSchema);
    validators.set(key, validator);
    return validator;
  };

  const headersOf = (name: string, { status, headers }: RecordedResponse, response: ResponseObject) => {
    const arrived = new Map(headers.map(([header, value]) => [header.toLowerCase(), value]));
    const documented = Object.entries(response.headers).map(
      ([header, object]) => [header, resolve(object)] as const,
    );
    const problems = documented.flatMap(([header, { required, schema }]) => {
      const value = arrived.get(header.toLowerCase());
      arrived.delete(header.toLowerCase());
      if (value === undefined) return required ? [`lacks ${header}`] : [];
      seen.add(`${name} ${status} header ${header}`);
      const typed = 'type' in schema && schema.type === 'integer' ? Number(value) : value;
      return ajv.validate(schema, typed) ? [] : [`has ${header}: ${value}`];
    });
    const others = [...arrived.keys()].filter((header) => !ofTheTransport.includes(header));
    return [...problems, ...others.map((header) => `has the header ${header}`)];
  };

  const bodyOf = (
    name: string,
    { method, status, headers, body }: RecordedResponse,
    response: ResponseObject,
  ) => {
    // Whether there is a body is up to the server that sends it.
    if (method === 'HEAD') return [];
    const type = headers.find(([header]) => header.toLowerCase() === 'content-type')?.[1].split(';')[0] ?? '';
    const content = response.content[type];
    if (content === undefined) return [`is of type ${type}`];
    const value: unknown = type === 'application/json' ? JSON.parse(body) : body;
    const validator = validatorOf(name, status, content.schema);
    if (!validator(value))
      return (validator.errors ?? []).map(
        ({ instancePath, message, params }) =>
          `${instancePath || 'the body'} ${message} ${JSON.stringify(params)}`,
      );
    const { error, msg } = Object(value) as { error?: string; msg?: string };
    if (error !== undefined) seen.add(`${name} ${status} error ${error}`);
    for (const member of membersOf(value)) seen.add(`${name} ${status} member ${member}`);
    const texts = Object.values(content.examples ?? {}).map((example) => example.value.msg);
    return error === undefined || texts.includes(msg ?? '') ? [] : [`says: ${msg}`];
  };

  /** Names of the members that a schema allows, nested ones with a point. */
  const namesIn = (schema: JsonSchema): string[] => {
    const {
      properties = {},
      anyOf = [],
      items,
    } = resolve<JsonSchema>(schema as JsonSchema & { $ref: string });
    return [
      ...Object.entries(properties).flatMap(([name, member]) => [
        name,
        ...namesIn(member).map((inner) => `${name}.${inner}`),
      ]),
      ...anyOf.flatMap(namesIn),
      ...(items === undefined ? [] : namesIn(items)),
    ];
  };

  return {
    see(recorded) {
      const { name, responses } = documentedFor(recorded);
      const { method, path, status } = recorded;
      seen.add(`${name} ${status}`);
      const documented = responses[String(status)];
      if (documented === undefined) return [`${method} ${path}: ${status} is not documented`];
      const response = resolve(documented);
      return [...headersOf(name, recorded, response), ...bodyOf(name, recorded, response)].map(
        (problem) => `${method} ${path}: ${status} ${problem}`,
      );
    },

    unseen() {
      const operations = (routes as readonly Route[]).map((route) => {
        const operation = document.paths[route.path]?.[route.method.toLowerCase()];
        return { name: route.operationId, errors: errorsOf(route), responses: operation?.responses ?? {} };
      });
      const all = [
        ...operations,
        {
          name: 'no route',
          errors: errorsOfNoRoute,
          responses: document['x-other-requests'].responses,
        },
      ];
      const expected = all.flatMap(({ name, errors, responses }) =>
        Object.entries(responses).flatMap(([status, documented]) => {
          const { headers, content } = resolve(documented);
          const { schema } = content['application/json'] ?? {};
          const ofStatus = errors.filter((error) => namesError(schema, error));
          const occurs = status === '200' || seen.has(`${name} ${status}`);
          return [
            ...ofStatus.map((error) => `${name} ${status} error ${error}`),
            ...(occurs ? Object.keys(headers).map((header) => `${name} ${status} header ${header}`) : []),
            ...(status === '200' && schema ? namesIn(schema) : []).map(
              (member) => `${name} ${status} member ${member}`,
            ),
          ];
        }),
      );
      return expected.filter((what) => !seen.has(what));
    },
  };
}

const namesError = (schema: JsonSchema | undefined, error: string): boolean =>
  schema?.properties?.error?.enum?.includes(error) === true;

function membersOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(membersOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => [
    name,
    ...membersOf(member).map((inner) => `${name}.${inner}`),
  ]);
}
